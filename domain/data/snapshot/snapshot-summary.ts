import { z } from 'zod';
import { partitionSchema } from '../../partition.js';
import { columnProfileSchema } from './snapshot.js';

/** What is remembered of a valid partition, for later ones to be compared with. */
export const partitionSummarySchema = z.strictObject({
  partition: partitionSchema,
  /** Labelled rows. */
  rows: z.number().int().min(0),
  positives: z.number().int().min(0),
  /** One entry a feature, in contract order. */
  profile: z.array(columnProfileSchema),
});
export type PartitionSummary = z.infer<typeof partitionSummarySchema>;

/** How many levels of a string feature a profile lists. A feature with more is not watched for new levels. */
export const PROFILE_LEVELS_MAX = 500;
