import { z } from 'zod';

const validationStateSchema = z.object({
  state: z.enum(['valid', 'quarantined', 'released', 'discarded']),
  rows: z.number().int(),
  positives: z.number().int(),
  summary: z.string(),
  validatedAt: z.iso.datetime(),
});

/** What has arrived in the lake for a model. */
export const lakeListingSchema = z.object({
  model: z.string(),
  tables: z.array(
    z.object({
      table: z.string(),
      partitioned: z.boolean(),
      files: z.number().int(),
      bytes: z.number().int(),
      partitions: z.array(
        z.object({
          partition: z.string(),
          files: z.number().int(),
          bytes: z.number().int(),
          newestAt: z.iso.datetime().nullable(),
        }),
      ),
    }),
  ),
  /**
   * What validation said of the content that lies in each partition of the base table now; a partition that no run has
   * read as it is is not there.
   */
  validations: z.array(validationStateSchema.extend({ partition: z.string() })),
  /** Files that nothing reads, though they may be meant as data: how many, and the first of them. */
  notRead: z.object({ files: z.number().int(), first: z.array(z.object({ key: z.string(), problem: z.string() })) }),
});
export type LakeListing = z.infer<typeof lakeListingSchema>;

/** What became of one uploaded file. */
export const putDataResultSchema = z.object({
  key: z.string(),
  sha256: z.string(),
  bytes: z.number().int(),
  /** The same bytes were there before. */
  alreadyThere: z.boolean(),
  /** Keys of the earlier files that it took the place of. */
  replaced: z.array(z.string()),
});
export type PutDataResult = z.infer<typeof putDataResultSchema>;

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
export const quarantineListSchema = z.object({ partitions: z.array(quarantineEntrySchema) });

export const quarantineDetailSchema = quarantineEntrySchema.extend({
  /** The validation report, as it was written; null when the object store no longer has it. */
  report: z.unknown(),
});
export type QuarantineDetail = z.infer<typeof quarantineDetailSchema>;
