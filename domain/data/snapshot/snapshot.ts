import { z } from 'zod';
import { digestOf } from '../../canonical-json.js';
import { valueTypes } from '../feature/feature-value.js';
import { modelNameSchema, sha256Schema } from '../../names.js';
import { partitionSchema } from '../../partition.js';
import { rowSampleSchema } from './row-sample.js';
import { splitPolicySchema } from '../split-policy.js';

/**
 * One Parquet file of joined, contract-shaped rows, sorted by event time and entity: all rows of one partition, or
 * those on one side of a split.
 */
export const partitionFileSchema = z.strictObject({
  partition: partitionSchema,
  /** Which fold of a cross-validation these rows are; absent where there is none. */
  fold: z.number().int().min(0).optional(),
  /** Object key, built from the file's digest. */
  key: z.string(),
  sha256: sha256Schema,
  bytes: z.number().int(),
  rows: z.number().int(),
  positives: z.number().int(),
  /** Digest of what the file was made from: source objects by SHA-256, contract and data policy. */
  inputsSha256: sha256Schema,
});
export type PartitionFile = z.infer<typeof partitionFileSchema>;

/**
 * Summary of one column over one partition; nulls are left out. Of a list and a text the numbers are those of its
 * length, of a time seconds since 1970.
 */
export const columnProfileSchema = z.strictObject({
  name: z.string(),
  type: z.enum(valueTypes),
  nulls: z.number().int(),
  distinct: z.number().int(),
  mean: z.number().nullable(),
  min: z.number().nullable(),
  max: z.number().nullable(),
  /** 0.1, 0.2 … 0.9 by linear interpolation; none of strings, booleans and vectors. */
  deciles: z.array(z.number()),
  /** Most frequent levels with their counts, at most 500 (PROFILE_LEVELS_MAX); strings and booleans only. */
  topLevels: z.array(z.strictObject({ level: z.string(), rows: z.number().int() })),
});
export type ColumnProfile = z.infer<typeof columnProfileSchema>;

export const snapshotManifestSchema = z.strictObject({
  manifestVersion: z.literal(1),
  model: modelNameSchema,
  /** Digest of the contract and data policy that shaped the rows. */
  shapeSha256: sha256Schema,
  columns: z.array(
    z.strictObject({
      name: z.string(),
      type: z.enum(valueTypes),
      role: z.enum(['entity', 'eventTime', 'feature', 'label']),
    }),
  ),
  train: z.array(partitionFileSchema),
  holdout: z.array(partitionFileSchema),
  trainedOn: z.strictObject({ from: partitionSchema, to: partitionSchema, rows: z.number().int() }),
  testedOn: z.strictObject({ from: partitionSchema, to: partitionSchema, rows: z.number().int() }),
  /** The last partition used. */
  watermark: partitionSchema,
  /** How rows were divided; absent where whole partitions were held out. */
  split: splitPolicySchema.optional(),
  /** Absent where every row of the window is there. */
  sample: rowSampleSchema.optional(),
});
/** `from` is the first partition, `to` the one after the last: half-open, as in the main job's report. */
export type SnapshotManifest = z.infer<typeof snapshotManifestSchema>;

/** The snapshot's identity. */
export function snapshotDigest(manifest: SnapshotManifest): string {
  return digestOf(manifest);
}
