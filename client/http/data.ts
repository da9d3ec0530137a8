import { z } from 'zod';
import { actorSchema, sha256Schema } from '../../domain/names.js';
import { partitionSchema } from '../../domain/partition.js';
import { listSchema } from './page.js';

const validationStateSchema = z.object({
  state: z.enum(['valid', 'quarantined', 'released', 'discarded']),
  rows: z.number().int(),
  positives: z.number().int(),
  summary: z.string(),
  validatedAt: z.iso.datetime(),
});

/** A partition of a table as it counts now. */
const landedPartitionSchema = z.object({
  partition: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
  newestAt: z.iso.datetime().nullable(),
  /** `manifest`: what `data put` named counts and nothing else; `files`: what lies there counts. */
  ruledBy: z.enum(['manifest', 'files']),
  /** How often `data put` and `data rm` have changed it; 0 where neither has. */
  generation: z.number().int(),
  /** Who put it; null where it is ruled by its files. */
  putBy: z.string().nullable(),
});

/** What was used of a partition of the base, against what is there now. */
export const trainedPartitionSchema = z.object({
  partition: z.string(),
  /** `unread`: no run has read it as it lies there; `removed`: it is not there any more. */
  content: z.enum(['same', 'new', 'corrected', 'unread', 'removed']),
  usedSha256: z.string().nullable(),
  nowSha256: z.string().nullable(),
});

/**
 * What has arrived in the lake for a model: a page of partitions, the newest first to be asked for, each list in
 * ascending order.
 */
export const lakeListingSchema = z.object({
  model: z.string(),
  tables: z.array(
    z.object({
      table: z.string(),
      partitioned: z.boolean(),
      /** Whether it lies in `lake/shared/`, for all models that declare it so. */
      shared: z.boolean().optional(),
      /** In a listing of the shared tables: the models that read it. */
      readBy: z.array(z.string()).optional(),
      files: z.number().int(),
      bytes: z.number().int(),
      partitions: z.array(landedPartitionSchema),
    }),
  ),
  /**
   * What validation said of the content that lies in each partition of the base table now; a partition that no run has
   * read as it is is not there.
   */
  validations: z.array(validationStateSchema.extend({ partition: z.string() })),
  /** The run that came to the last result, and what it was given; null before there is one. */
  trained: z
    .object({ runId: z.string(), startedAt: z.iso.datetime(), partitions: z.array(trainedPartitionSchema) })
    .nullable(),
  /** Files that nothing reads, though they may be meant as data: how many, and the first of them. */
  notRead: z.object({ files: z.number().int(), first: z.array(z.object({ key: z.string(), problem: z.string() })) }),
  /** The partition before which the next page begins; null when there are no more. */
  next: z.string().nullable(),
});
export type LakeListing = z.infer<typeof lakeListingSchema>;

const landedFileSchema = z.object({ key: z.string(), sha256: z.string(), bytes: z.number().int() });
export type LandedFile = z.infer<typeof landedFileSchema>;

const switchedSchema = z.object({
  /** All of it counted before. */
  alreadyThere: z.boolean(),
  /** Keys of the files that no longer count. */
  replaced: z.array(z.string()),
  /** How often the place has been changed by now. */
  generation: z.number().int(),
});

/** What became of one uploaded file that is its partition by itself. */
export const putDataResultSchema = landedFileSchema.extend(switchedSchema.shape);
export type PutDataResult = z.infer<typeof putDataResultSchema>;

/**
 * A file that has landed and does not count until a manifest names it, and how often its place had been changed before.
 */
export const landedResultSchema = landedFileSchema.extend({ generation: z.number().int() });
export type LandedResult = z.infer<typeof landedResultSchema>;

/** What became of several files put together. */
export const putFilesResultSchema = switchedSchema.extend({ files: z.array(landedFileSchema) });
export type PutFilesResult = z.infer<typeof putFilesResultSchema>;

/** Files that have landed, to be the partition from now on. */
export const switchRequestSchema = z.strictObject({
  partition: partitionSchema.optional(),
  files: z
    .array(z.strictObject({ sha256: sha256Schema, bytes: z.number().int().min(1) }))
    .min(1)
    .max(10_000),
  append: z.boolean().default(false),
  force: z.boolean().default(false),
  /** The generation of the place when the put began. */
  generation: z.number().int().min(0),
  actor: actorSchema,
});
export type SwitchRequest = z.input<typeof switchRequestSchema>;

/** What was taken away. */
export const removeDataResultSchema = z.object({ removed: z.array(z.string()) });
export type RemoveDataResult = z.infer<typeof removeDataResultSchema>;

export const quarantineEntrySchema = validationStateSchema.extend({
  model: z.string(),
  partition: z.string(),
  inputsSha256: z.string(),
  /** Whether this is the content that lies in the lake now. */
  inPlace: z.boolean(),
  reportKey: z.string(),
  decidedBy: z.string().nullable(),
  decidedAt: z.iso.datetime().nullable(),
  comment: z.string().nullable(),
});
export type QuarantineEntry = z.infer<typeof quarantineEntrySchema>;
export const quarantineListSchema = listSchema('partitions', quarantineEntrySchema);

export const quarantineDetailSchema = quarantineEntrySchema.extend({
  /** The validation report, as it was written; null when the object store no longer has it. */
  report: z.unknown(),
});
export type QuarantineDetail = z.infer<typeof quarantineDetailSchema>;
