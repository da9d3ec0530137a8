import { z } from 'zod';
import { actorSchema, environmentSchema } from '../../domain/names.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { routeSchema } from '../../domain/serving/route.js';
import { listSchema } from './page.js';

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
  /** What environments serve of it now. */
  routes: z.array(routeSchema),
});
export type ModelSummary = z.infer<typeof modelSummarySchema>;
/** One model with its definition in force, defaults filled in. */
export const modelDetailSchema = modelSummarySchema.extend({ definition: z.record(z.string(), z.json()) });
export type ModelDetail = z.infer<typeof modelDetailSchema>;
export const modelListSchema = listSchema('models', modelSummarySchema);

/** The end of a model's service, in one environment or in all. */
export const retireRequestSchema = z.strictObject({
  environment: environmentSchema.optional(),
  actor: actorSchema,
  reason: plainTextSchema.trim().min(1, 'give a short reason').max(1000),
});
export type RetireRequest = z.input<typeof retireRequestSchema>;
