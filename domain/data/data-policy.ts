import { z } from 'zod';
import { cadenceIn, cadenceSchema, cadenceWords, type Cadence } from '../cadence.js';
import { columnTypeSchema, elementOf, type ColumnType, type ElementType } from './column-type.js';
import { columnNameSchema } from '../names.js';
import { partitionSchema, wholeTable, wrongCadence } from '../partition.js';
import { maturitySchema } from './maturity.js';
import { splitPolicySchema } from './split-policy.js';
import { timeZoneSchema } from '../calendar/time-zone.js';
import { joinSchema } from './join.js';
import { missingJoinColumns } from './join-problems.js';

export { elementOf, type ColumnType, type ElementType };

const tableSchema = z.strictObject({
  /** A partitioned table lands partition by partition; another is one table, replaced whole. */
  partitioned: z.boolean().default(true),
  /** Landed once in `lake/shared/TABLE/`, for all models that declare it so. */
  shared: z.boolean().optional(),
  /** The columns that are read; more may be in the files. A NaN in a number is read as missing. */
  columns: z.record(columnNameSchema, columnTypeSchema),
  /** Columns that identify a row; a second row with the same values is an error. */
  key: z.array(columnNameSchema).min(1).optional(),
});

/** A snapshot names each of its partitions. */
export const windowPartitionsMax = 10_000;

const windowSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('expanding'), from: partitionSchema }),
  z.strictObject({
    kind: z.literal('sliding'),
    from: partitionSchema,
    /** How many of the newest, whatever the cadence. Exactly one of the two. */
    partitions: z.number().int().min(2).max(windowPartitionsMax).optional(),
    /** The older word, of monthly models. */
    months: z.number().int().min(2).max(120).optional(),
  }),
]);
export type DataWindow = z.infer<typeof windowSchema>;

/** What a new partition may differ in from the ones before it. */
const expectationsSchema = z.strictObject({
  /** Rows of the new partition over the mean of the earlier ones. */
  volumeRatioMin: z.number().min(0).default(0.5),
  volumeRatioMax: z.number().min(1).default(2),
  /** How far a feature's share of nulls may rise, in percentage points. */
  nullShareRiseMaxPct: z.number().min(0).max(100).default(20),
  /** How far the share of positive labels may move either way, in percentage points. */
  labelRateChangeMaxPct: z.number().min(0).max(100).default(20),
});

export const dataPolicySchema = z
  .strictObject({
    tables: z.record(columnNameSchema, tableSchema),
    /** The table whose rows are the model's rows. */
    base: columnNameSchema,
    /** LEFT JOINs onto the base, in this order; none may multiply rows. */
    joins: z.array(joinSchema).default([]),
    /**
     * How long a partition is; absent: a month, and a row belongs to the month that its columns `year` and `month`
     * name. Where it is declared, a row belongs to the partition of its event time.
     */
    cadence: cadenceSchema.optional(),
    /** In which days, weeks and months begin; UTC where absent. Hours are those of UTC. */
    timeZone: timeZoneSchema.optional(),
    /** The training window: it ends with the newest partition used. Absent for static data, which is used whole. */
    window: windowSchema.optional(),
    /** How long after its event a label may still come: younger rows are left out until then. Absent: none is. */
    maturity: maturitySchema.optional(),
    /** What is held out for the test; the last partition where absent. */
    split: splitPolicySchema.optional(),
    /** The older word for that. */
    holdoutPartitions: z.literal(1).default(1),
    /** Rows that break the contract: `reject` their partition, or leave them out up to a share. Absent: `reject`. */
    badRows: z.union([z.literal('reject'), z.strictObject({ dropMaxPct: z.number().gt(0).max(100) })]).optional(),
    expectations: expectationsSchema.prefault({}),
  })
  .superRefine((data, context) => {
    // A name such as `constructor` is in every object, though it is no table.
    const tableOf = (name: string) => (Object.hasOwn(data.tables, name) ? data.tables[name] : undefined);
    const base = tableOf(data.base);
    if (!base)
      context.addIssue({
        code: 'custom',
        path: ['base'],
        message: `is not one of the tables: ${Object.keys(data.tables).join(', ')}`,
      });
    for (const problem of cadenceProblems(data)) context.addIssue({ code: 'custom', ...problem });
    for (const { path, message } of missingJoinColumns(data)) context.addIssue({ code: 'custom', path, message });
    for (const [name, table] of Object.entries(data.tables)) {
      for (const column of table.key ?? []) {
        if (!(column in table.columns))
          context.addIssue({
            code: 'custom',
            path: ['tables', name, 'key'],
            message: `${column} is not a column of ${name}`,
          });
      }
    }
  });
export type DataPolicy = z.infer<typeof dataPolicySchema>;

/** The training window; of static data all of it. */
export const windowIn = (data: Pick<DataPolicy, 'window'>): DataWindow =>
  data.window ?? { kind: 'expanding', from: wholeTable };

/** How much of a partition's rows may be left out, percent. */
export const dropMaxPctIn = ({ badRows = 'reject' }: Pick<DataPolicy, 'badRows'>): number =>
  badRows === 'reject' ? 0 : badRows.dropMaxPct;

/** How many partitions a sliding window holds; undefined for one that expands. */
export const slidingLength = (window: DataWindow): number | undefined =>
  window.kind === 'sliding' ? (window.partitions ?? window.months) : undefined;

/** Whether tables and window are of the declared cadence. */
function cadenceProblems(data: {
  cadence?: Cadence | undefined;
  window?: DataWindow | undefined;
  tables: Record<string, { partitioned: boolean }>;
  base: string;
}): { path: (string | number)[]; message: string }[] {
  const { window, tables, base } = data;
  const cadence = cadenceIn(data);
  const problems: { path: (string | number)[]; message: string }[] = [];
  if (cadence === 'static') {
    for (const [name, { partitioned }] of Object.entries(tables))
      if (partitioned)
        problems.push({
          path: ['tables', name, 'partitioned'],
          message: 'must be false: static data has no partitions',
        });
    if (window) problems.push({ path: ['window'], message: 'static data is used whole: leave the window out' });
    return problems;
  }
  if (Object.hasOwn(tables, base) && tables[base]?.partitioned === false)
    problems.push({
      path: ['base'],
      message: "the base table must be partitioned, or data.cadence be 'static'",
    });
  if (!window)
    return [...problems, { path: ['window'], message: 'says which partitions a run may use: it is required' }];
  const wrong = wrongCadence(window.from, cadence);
  if (wrong !== undefined) problems.push({ path: ['window', 'from'], message: wrong });
  if (window.kind !== 'sliding') return problems;
  if ((window.partitions === undefined) === (window.months === undefined))
    problems.push({ path: ['window', 'partitions'], message: 'give either partitions or, of a monthly model, months' });
  if (window.months !== undefined && cadence !== 'month')
    problems.push({
      path: ['window', 'months'],
      message: `is of monthly models: write how many ${cadenceWords[cadence].many} as partitions`,
    });
  return problems;
}
