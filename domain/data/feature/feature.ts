import { z } from 'zod';
import { int64Schema } from './int64.js';
import { utcMicros } from './utc-micros.js';

const featureCommon = {
  /** SQL expression over the joined tables' columns; the column of the feature's own name by default. */
  from: z.string().min(1).optional(),
  /** Whether a missing value is allowed. */
  nullable: z.boolean().default(false),
  description: z.string().optional(),
};

const acceptedCommon = {
  nullable: z.boolean().default(false),
  description: z.string().optional(),
  /**
   * Callers may send it until the end of this day, UTC. It is ignored afterwards too, and counted: see
   * `contract.accepts`.
   */
  until: z.iso.date(),
};

/** FP32. */
const numberValues = {
  type: z.literal('number'),
  /** Hard range, both ends included: outside it a row is invalid and a request refused. */
  min: z.number().optional(),
  max: z.number().optional(),
};

/** Exact, all 64 bits: what JavaScript cannot write as a number stands here in digits, `'9007199254740993'`. */
const integerValues = {
  type: z.literal('integer'),
  /** Hard range, both ends included. */
  min: int64Schema.optional(),
  max: int64Schema.optional(),
};

const booleanValues = { type: z.literal('boolean') };

const stringValues = {
  type: z.literal('string'),
  /** Known levels. */
  levels: z.array(z.string().min(1)).min(1).optional(),
  /** With `closed`, a level that is not listed is an error; else it is counted. */
  closed: z.boolean().default(false),
  /** The longest value a request may carry, in characters. */
  maxLength: z.number().int().min(1).max(10_000).default(256),
};

/** To the microsecond, UTC, of the years 0 to 9999. */
const timestampValues = { type: z.literal('timestamp') };

/** Numbers of a fixed count, an embedding or a row of pixels; all are there, or the vector is missing. */
const vectorValues = { type: z.literal('vector'), length: z.int().min(1).max(16_384) };

/** Free text: no levels are kept of it. */
const textValues = {
  type: z.literal('text'),
  /** The longest value a request may carry, in characters. */
  maxLength: z.int().min(1).max(1_000_000).default(10_000),
};

const items = [
  z.strictObject(numberValues),
  z.strictObject(integerValues),
  z.strictObject(booleanValues),
  z.strictObject(stringValues),
  z.strictObject(timestampValues),
  z.strictObject(textValues),
] as const;

const listValues = {
  type: z.literal('list'),
  /** What stands in it; nothing in a list is missing. */
  of: z.discriminatedUnion('type', items),
  maxLength: z.int().min(1).max(10_000),
};

/**
 * `default`: what the model sees where a request does not carry the feature at all; a `null` that is sent stays
 * missing. Absent: a nullable feature that is not sent is missing, any other is refused. Training does not use it.
 */
const features = [
  z.strictObject({ ...numberValues, ...featureCommon, default: z.number().optional() }),
  z.strictObject({ ...integerValues, ...featureCommon, default: int64Schema.optional() }),
  z.strictObject({ ...booleanValues, ...featureCommon, default: z.boolean().optional() }),
  z.strictObject({ ...stringValues, ...featureCommon, default: z.string().optional() }),
  z.strictObject({
    ...timestampValues,
    ...featureCommon,
    default: z
      .string()
      .refine((text) => utcMicros(text) !== undefined, 'must be an ISO 8601 time, for example 2013-04-07T13:00:00Z')
      .optional(),
  }),
  z.strictObject({ ...vectorValues, ...featureCommon, default: z.array(z.number()).optional() }),
  z.strictObject({ ...textValues, ...featureCommon, default: z.string().optional() }),
  z.strictObject({
    ...listValues,
    ...featureCommon,
    default: z.array(z.union([z.number(), z.string(), z.boolean()])).optional(),
  }),
] as const;

export const featureSchema = z.discriminatedUnion('type', features).superRefine((feature, context) => {
  const { path, item } = feature.type === 'list' ? { path: ['of'], item: feature.of } : { path: [], item: feature };
  if (isEmptyRange(item))
    context.addIssue({ code: 'custom', path: [...path, 'min'], message: 'min is greater than max' });
  if (item.type === 'string' && item.closed && item.levels === undefined)
    context.addIssue({ code: 'custom', path: [...path, 'levels'], message: 'a closed feature must list its levels' });
});
export type Feature = z.infer<typeof featureSchema>;
export type FeatureType = Feature['type'];
/** One kind of feature: `FeatureOf<'number'>`. */
export type FeatureOf<T extends FeatureType> = Extract<Feature, { type: T }>;
/** What a list holds. */
export type Item = FeatureOf<'list'>['of'];

function isEmptyRange(item: Item | Feature): boolean {
  if (item.type === 'number') return item.min !== undefined && item.max !== undefined && item.min > item.max;
  return (
    item.type === 'integer' && item.min !== undefined && item.max !== undefined && BigInt(item.min) > BigInt(item.max)
  );
}

/**
 * A feature of before: the shape that callers were promised, and until when. Copy it from `features` and add the date.
 */
export const acceptedFeatureSchema = z.discriminatedUnion('type', [
  z.strictObject({ ...numberValues, ...acceptedCommon }),
  z.strictObject({ ...integerValues, ...acceptedCommon }),
  z.strictObject({ ...booleanValues, ...acceptedCommon }),
  z.strictObject({ ...stringValues, ...acceptedCommon }),
  z.strictObject({ ...timestampValues, ...acceptedCommon }),
  z.strictObject({ ...vectorValues, ...acceptedCommon }),
  z.strictObject({ ...textValues, ...acceptedCommon }),
  z.strictObject({ ...listValues, ...acceptedCommon }),
]);
export type AcceptedFeature = z.infer<typeof acceptedFeatureSchema>;

/** Whether a request may leave the feature out: the model then sees its default, or a missing value. */
export const mayBeAbsent = (feature: Feature): boolean => feature.nullable || feature.default !== undefined;
