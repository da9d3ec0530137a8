import { z } from 'zod';

export const modelSummarySchema = z.object({
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  definitionSha256: z.string(),
  appliedBy: z.string(),
  appliedAt: z.iso.datetime(),
  /** Null before the first version. */
  newestVersion: z.number().int().nullable(),
  /** The last partition that a finished run used. */
  watermark: z.string().nullable(),
  schedules: z.array(z.object({ name: z.string(), cron: z.string(), timeZone: z.string(), paused: z.boolean() })),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;
/** One model with its definition in force, defaults filled in. */
export const modelDetailSchema = modelSummarySchema.extend({ definition: z.record(z.string(), z.json()) });
export type ModelDetail = z.infer<typeof modelDetailSchema>;
export const modelListSchema = z.object({ models: z.array(modelSummarySchema) });
