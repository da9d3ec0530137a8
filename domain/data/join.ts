import { z } from 'zod';
import { columnNameSchema } from '../names.js';

const spanSchema = z.number().min(0).max(1_000_000).optional();

/** The newest row of a key at or before a moment of the base row, instead of the row with equal columns. */
const asOfSchema = z.strictObject({
  /** When the right table's row came to be known: a timestamp of that table. */
  time: columnNameSchema,
  /** The moment of the base row; `contract.eventTime` when absent. */
  leftTime: columnNameSchema.optional(),
  /** An older row does not count; both ends included. At most one of the three; none means however old. */
  toleranceMinutes: spanSchema,
  toleranceHours: spanSchema,
  toleranceDays: spanSchema,
  direction: z.literal('backward').optional(),
  /** Whether a row of the very moment counts: `include` when absent, and `exclude` under an aggregate. */
  exact: z.enum(['include', 'exclude']).optional(),
  /** Of several rows of one key and moment the last by these columns counts. */
  orderBy: z.array(columnNameSchema).min(1).optional(),
});

export const aggregateFunctions = [
  ...(['count', 'countDistinct', 'sum', 'mean', 'min', 'max', 'median', 'stddev', 'first', 'last'] as const),
] as const;

const aggregateSchema = z.strictObject({
  fn: z.enum(aggregateFunctions),
  /** A column of the right table, or an expression over one of its rows. */
  of: z.string().min(1).optional(),
  /** An expression over one row of the right table: only rows for which it is true count. */
  filter: z.string().min(1).optional(),
});
export type Aggregate = z.infer<typeof aggregateSchema>;

/** The look-back of an aggregate: rows in `[t − window, t)`. Exactly one of the three. */
const windowSchema = z.strictObject({ minutes: spanSchema, hours: spanSchema, days: spanSchema });

export const joinSchema = z.strictObject({
  table: columnNameSchema,
  /** What expressions call it; the table's own name when absent. */
  as: columnNameSchema.optional(),
  /** Whose columns stand on the left: an earlier join, by its name; the base when absent. */
  from: columnNameSchema.optional(),
  on: z
    .array(
      z.union([columnNameSchema, z.strictObject({ left: columnNameSchema, right: columnNameSchema })], {
        error: 'must be a column of both tables, or {left: COLUMN, right: COLUMN}',
      }),
    )
    .min(1),
  asOf: asOfSchema.optional(),
  /** Aggregates of the right table's rows that share the right side of `on`, by the name of their column. */
  aggregate: z.record(columnNameSchema, aggregateSchema).optional(),
  window: windowSchema.optional(),
});
export type Join = z.infer<typeof joinSchema>;
export type AsOf = z.infer<typeof asOfSchema>;

/** What expressions call a join. */
export const joinName = ({ table, as }: Pick<Join, 'table' | 'as'>): string => as ?? table;

/** The pairs of columns that must be equal. */
export const joinColumns = ({ on }: Pick<Join, 'on'>): { left: string; right: string }[] =>
  on.map((column) => (typeof column === 'string' ? { left: column, right: column } : column));

const minuteUs = 60_000_000;

const microseconds = (minutes?: number, hours?: number, days?: number): number | undefined => {
  const [unit, count] = minutes !== undefined ? [1, minutes] : hours !== undefined ? [60, hours] : [1440, days];
  return count === undefined ? undefined : Math.round(count * unit * minuteUs);
};

/** How old a row may be that an as-of join or an aggregate takes, in microseconds; undefined without a limit. */
export function reachUs({ asOf, aggregate, window }: Join): number | undefined {
  return aggregate
    ? window && microseconds(window.minutes, window.hours, window.days)
    : microseconds(asOf?.toleranceMinutes, asOf?.toleranceHours, asOf?.toleranceDays);
}

/** Whether a row of the very moment of the base row counts. */
export const takesExact = ({ asOf, aggregate }: Join): boolean =>
  asOf?.exact === undefined ? aggregate === undefined : asOf.exact === 'include';
