import { z } from 'zod';
import { columnNameSchema } from '../names.js';
import { partitionSchema } from '../partition.js';

export const columnTypeSchema = z.enum(['integer', 'number', 'string', 'timestamp', 'boolean']);
export type ColumnType = z.infer<typeof columnTypeSchema>;

const tableSchema = z.strictObject({
  /** A partitioned table lands month by month; another is one table, replaced whole. */
  partitioned: z.boolean().default(true),
  /** The columns that are read; more may be in the files. A NaN in a number is read as missing. */
  columns: z.record(columnNameSchema, columnTypeSchema),
  /** Columns that identify a row; a second row with the same values is an error. */
  key: z.array(columnNameSchema).min(1).optional(),
});

const windowSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('expanding'), from: partitionSchema }),
  z.strictObject({ kind: z.literal('sliding'), from: partitionSchema, months: z.number().int().min(2).max(120) }),
]);

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
    /** LEFT JOINs onto the base; none may multiply rows. */
    joins: z.array(z.strictObject({ table: columnNameSchema, on: z.array(columnNameSchema).min(1) })).default([]),
    /** The training window: it ends with the newest partition used. */
    window: windowSchema,
    /** How many partitions at the window's end are held out for the test. */
    holdoutPartitions: z.literal(1).default(1),
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
    else if (!base.partitioned)
      context.addIssue({ code: 'custom', path: ['base'], message: 'the base table must be partitioned' });
    for (const [index, join] of data.joins.entries()) {
      const table = tableOf(join.table);
      if (!table)
        context.addIssue({
          code: 'custom',
          path: ['joins', index, 'table'],
          message: `no table is called ${join.table}`,
        });
      for (const column of join.on) {
        if (table && !(column in table.columns)) {
          context.addIssue({
            code: 'custom',
            path: ['joins', index, 'on'],
            message: `${column} is not a column of ${join.table}`,
          });
        }
        if (base && !(column in base.columns)) {
          context.addIssue({
            code: 'custom',
            path: ['joins', index, 'on'],
            message: `${column} is not a column of ${data.base}`,
          });
        }
      }
    }
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
