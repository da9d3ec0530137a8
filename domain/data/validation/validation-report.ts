import { z } from 'zod';
import { partitionSchema } from '../../partition.js';

/** One rule that rows of a partition broke, or an expectation that the partition missed. */
export const validationIssueSchema = z.strictObject({
  rule: z.enum([
    'missing-table',
    'unreadable-file',
    'missing-column',
    'ambiguous-column',
    'wrong-type',
    'unstorable-text',
    'empty-partition',
    'wrong-partition',
    'duplicate-key',
    'join-multiplies-rows',
    'as-of-tie',
    'null',
    'infinite',
    'out-of-range',
    'unknown-level',
    'expression',
    'volume',
    'null-share',
    'label-rate',
  ]),
  /** The table or feature concerned. */
  table: z.string().nullable(),
  column: z.string().nullable(),
  /** What was wrong, with the numbers, and what would be right. */
  message: z.string(),
  /** How many rows, where that can be counted. */
  rows: z.number().int().nullable(),
  /** Up to 20 of those rows: their key columns and the offending value, as text. */
  examples: z.array(z.record(z.string(), z.string().nullable())),
});
export type ValidationIssue = z.infer<typeof validationIssueSchema>;

export const validationReportSchema = z.strictObject({
  model: z.string(),
  partition: partitionSchema,
  outcome: z.enum(['valid', 'invalid']),
  rows: z.number().int(),
  issues: z.array(validationIssueSchema),
  /** What is worth knowing but breaks nothing: levels that no earlier partition had, a partition that arrived late. */
  notes: z.array(z.string()),
  /**
   * Rows that break the contract by themselves: left out where `data.badRows` allows it, else by a release. Absent
   * where there are none, or where more is wrong than single rows.
   */
  dropped: z
    .strictObject({
      rows: z.number().int(),
      /** Of so many labelled rows. */
      of: z.number().int(),
      issues: z.array(validationIssueSchema),
      /** Object key of a Parquet file with the entity of each, and the rules that it breaks. */
      key: z.string(),
    })
    .optional(),
});
export type ValidationReport = z.infer<typeof validationReportSchema>;
