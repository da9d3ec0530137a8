import { z } from 'zod';
import { actorSchema } from '../../domain/names.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { steeringCommandSchema } from '../../domain/workflow-inputs.js';
import { listSchema } from './page.js';

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
export const rolloutListSchema = listSchema('rollouts', rolloutSummarySchema);

const lookMetricSchema = z.looseObject({
  metric: z.string(),
  verdict: z.string(),
  champion: z.number().nullable(),
  challenger: z.number().nullable(),
  reason: z.string(),
});

const quantilesSchema = z.object({ p50: z.number(), p95: z.number(), p99: z.number() }).nullable();

export const rolloutDetailSchema = rolloutSummarySchema.extend({
  /** Null for a rollout from before there were strategies. */
  strategy: z.string().nullable(),
  /** Names of its stages, in order. */
  stages: z.array(z.string()),
  /** What late labels said after it; null until they have spoken. */
  lastWord: z
    .object({ verdict: z.string(), reason: z.string(), coveragePct: z.number(), at: z.iso.datetime() })
    .nullable(),
  /** The workflow that waits for labels to have a last word; null where none does. */
  awaitsLabels: z.string().nullable(),
  /** What people said to it, oldest first, taken or not. */
  steering: z.array(
    z.object({
      command: z.string(),
      actor: z.string(),
      /** The actor's roles at that moment; null where they could not be read. */
      roles: z.array(z.string()).nullable(),
      reason: z.string(),
      via: z.string(),
      /** Place of the stage that it was in. */
      stage: z.number().int(),
      accepted: z.boolean(),
      answer: z.string(),
      signed: z.boolean(),
      at: z.iso.datetime(),
    }),
  ),
  /** The judge's looks, oldest first. */
  looks: z.array(
    z.object({
      look: z.number().int(),
      step: z.number().int(),
      at: z.iso.datetime(),
      verdict: z.string(),
      /** Why there was nothing to judge yet. */
      waitsFor: z.string().nullable(),
      /** What was not judged, for example requests just after a version was loaded. */
      leftOut: z.string().nullable(),
      latency: z.object({ champion: quantilesSchema, challenger: quantilesSchema }),
      /** Of an A/B test; null as long as there is none. */
      winner: z.string().nullable(),
      metrics: z.array(lookMetricSchema),
      inputsSha256: z.string(),
    }),
  ),
});
export type RolloutDetail = z.infer<typeof rolloutDetailSchema>;

export const steeringRequestSchema = z.strictObject({
  command: steeringCommandSchema,
  actor: actorSchema,
  reason: plainTextSchema.max(1000).default(''),
});
export type SteeringRequest = z.input<typeof steeringRequestSchema>;
export const steeringReplySchema = z.object({ accepted: z.boolean(), reason: z.string() });
