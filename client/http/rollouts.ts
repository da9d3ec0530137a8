import { z } from 'zod';

export const rolloutSummarySchema = z.object({
  id: z.string(),
  workflowId: z.string(),
  environment: z.string(),
  model: z.string(),
  challenger: z.number().int(),
  champion: z.number().int().nullable(),
  promotionId: z.string().nullable(),
  state: z.string(),
  step: z.number().int(),
  reason: z.string().nullable(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
});
export type RolloutSummary = z.infer<typeof rolloutSummarySchema>;
export const rolloutListSchema = z.object({ rollouts: z.array(rolloutSummarySchema) });

const lookMetricSchema = z.looseObject({
  metric: z.string(),
  verdict: z.string(),
  champion: z.number().nullable(),
  challenger: z.number().nullable(),
  reason: z.string(),
});

export const rolloutDetailSchema = rolloutSummarySchema.extend({
  /** The judge's looks, oldest first. */
  looks: z.array(
    z.object({
      look: z.number().int(),
      step: z.number().int(),
      at: z.iso.datetime(),
      verdict: z.string(),
      /** Why there was nothing to judge yet. */
      waitsFor: z.string().nullable(),
      metrics: z.array(lookMetricSchema),
      inputsSha256: z.string(),
    }),
  ),
});
export type RolloutDetail = z.infer<typeof rolloutDetailSchema>;
