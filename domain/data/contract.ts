import { z } from 'zod';
import { columnNameSchema } from '../names.js';
import { labelSchema } from './label.js';

const featureCommon = {
  /** SQL expression over the joined tables' columns; the column of the feature's own name by default. */
  from: z.string().min(1).optional(),
  /** Whether a missing value is allowed. */
  nullable: z.boolean().default(false),
  description: z.string().optional(),
};

const numberValues = {
  type: z.literal('number'),
  /** Hard range, both ends included: outside it a row is invalid and a request refused. */
  min: z.number().optional(),
  max: z.number().optional(),
};

const stringValues = {
  type: z.literal('string'),
  /** Known levels. */
  levels: z.array(z.string().min(1)).min(1).optional(),
  /** With `closed`, a level that is not listed is an error; else it is counted. */
  closed: z.boolean().default(false),
  /** The longest value a request may carry, in characters. */
  maxLength: z.number().int().min(1).max(10_000).default(256),
};

/**
 * `default`: what the model sees where a request does not carry the feature at all; a `null` that is sent stays
 * missing. Absent: a nullable feature that is not sent is missing, any other is refused. Training does not use it.
 */
const numberFeatureSchema = z.strictObject({ ...numberValues, ...featureCommon, default: z.number().optional() });
const stringFeatureSchema = z.strictObject({ ...stringValues, ...featureCommon, default: z.string().optional() });

export const featureSchema = z
  .discriminatedUnion('type', [numberFeatureSchema, stringFeatureSchema])
  .superRefine((feature, context) => {
    if (
      feature.type === 'number' &&
      feature.min !== undefined &&
      feature.max !== undefined &&
      feature.min > feature.max
    ) {
      context.addIssue({ code: 'custom', path: ['min'], message: 'min is greater than max' });
    }
    if (feature.type === 'string' && feature.closed && feature.levels === undefined) {
      context.addIssue({ code: 'custom', path: ['levels'], message: 'a closed feature must list its levels' });
    }
  });
export type Feature = z.infer<typeof featureSchema>;

const acceptedCommon = {
  nullable: z.boolean().default(false),
  description: z.string().optional(),
  /**
   * Callers may send it until the end of this day, UTC. It is ignored afterwards too, and counted: see
   * `contract.accepts`.
   */
  until: z.iso.date(),
};

/**
 * A feature of before: the shape that callers were promised, and until when. Copy it from `features` and add the date.
 */
export const acceptedFeatureSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...numberValues, ...acceptedCommon }),
  z.strictObject({ ...stringValues, ...acceptedCommon }),
]);
export type AcceptedFeature = z.infer<typeof acceptedFeatureSchema>;

/** Whether a request may leave the feature out: the model then sees its default, or a missing value. */
export const mayBeAbsent = (feature: Feature): boolean => feature.nullable || feature.default !== undefined;

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
