import { z } from 'zod';
import { columnNameSchema } from '../names.js';
import { acceptedFeatureSchema, featureSchema } from './feature/feature.js';
import { labelSchema } from './label.js';

export { mayBeAbsent, type AcceptedFeature, type Feature } from './feature/feature.js';

const inOrderOfNames = <Value>(record: Record<string, Value>): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1)));

/**
 * What every row and every request must look like: checked at ingest, at training, at registration and at inference.
 */
export const contractSchema = z
  .strictObject({
    /** Columns (or SQL expressions by name) that together identify one row. */
    entity: z.array(columnNameSchema).min(1),
    /** The column that says when the row's event happened (UTC). */
    eventTime: columnNameSchema,
    /** What is predicted; a model of a task without one (`embedding`) has none. */
    label: labelSchema.optional(),
    /** The column whose rows are ranked together, a query or a user; of the task `ranking`. */
    group: columnNameSchema.optional(),
    /** What an answer holds beside the usual. */
    output: z
      .strictObject({
        /** Of a regression: probabilities of the quantiles that it also answers with, rising. */
        quantiles: z.array(z.number().gt(0).lt(1)).min(1).max(99).optional(),
        /** The same for one central interval: 80 is the quantiles 0.1 and 0.9. */
        intervalPct: z.number().gt(0).lt(100).optional(),
        /** Of an embedding: how many numbers. */
        length: z.int().min(1).max(16_384).optional(),
      })
      .optional(),
    /**
     * The model sees them in the order of their names: canonical JSON knows no other, so one digest means one order.
     */
    features: z.record(columnNameSchema, featureSchema).transform(inOrderOfNames),
    /**
     * What the model no longer uses and callers may still send: taken with any value, of any type, and ignored. No
     * caller breaks at midnight: a version goes on ignoring it after the date, with a warning that is counted; from
     * then on the next version may leave it out. Absent: nothing.
     */
    accepts: z.record(columnNameSchema, acceptedFeatureSchema).transform(inOrderOfNames).optional(),
  })
  .superRefine((contract, context) => {
    const names = Object.keys(contract.features);
    if (names.length === 0)
      context.addIssue({ code: 'custom', path: ['features'], message: 'a contract needs at least one feature' });
    const label = contract.label?.name;
    if (label !== undefined && names.includes(label)) {
      context.addIssue({
        code: 'custom',
        path: ['features', label],
        message: 'the label cannot be a feature',
      });
    }
  });
export type Contract = z.infer<typeof contractSchema>;
