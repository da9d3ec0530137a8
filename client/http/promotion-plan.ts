import { z } from 'zod';
import { environmentSchema } from '../../domain/names.js';
import { contractViewSchema } from './contract-view.js';
import { sampleSizeBases } from '../../domain/rollout/sample-size.js';

const sharesSchema = z.array(z.object({ version: z.number().int(), sharePct: z.number() }));

const effectSchema = z.object({
  metric: z.string(),
  /** Requests of the challenger after which the named harm is seen, nine times in ten; null when unknown. */
  requestsToSeeHarm: z.number().nullable(),
  /** Requests of the challenger after which one that does not differ passes, nine times in ten; null when unknown. */
  requestsToPass: z.number().nullable(),
  /**
   * What they are reckoned from: what was counted, the champion's holdout (if each request gets its label), 1 percent
   * taken for want of both, or nothing.
   */
  basis: z.enum(sampleSizeBases),
});

const planStageSchema = z.object({
  name: z.string(),
  split: sharesSchema,
  shadows: z.array(z.object({ version: z.number().int(), samplePct: z.number() })),
  standby: z.array(z.number().int()),
  overrides: z.array(
    z.object({
      version: z.number().int(),
      keys: z.array(z.string()),
      headers: z.array(z.object({ name: z.string(), value: z.string() })),
    }),
  ),
  /** `same-minutes`, `before` or `none`. */
  comparison: z.string(),
  minRequests: z.number(),
  minSeconds: z.number(),
  maxSeconds: z.number(),
  metrics: z.array(effectSchema),
  /** The most that any metric needs; null when unknown. */
  requests: z.number().nullable(),
  /** The time in which the challenger gets so many at the present traffic; null when unknown. */
  seconds: z.number().nullable(),
});

/** What a promotion would take, before anything moves. */
export const promotionPlanSchema = z.object({
  model: z.string(),
  version: z.number().int(),
  environment: environmentSchema,
  /** Environments that the policy walks, in order. */
  environments: z.array(environmentSchema),
  champion: z.number().int().nullable(),
  gates: z.array(z.object({ name: z.string(), outcome: z.string() })),
  approvals: z.object({
    /** Why nobody has to approve; null when somebody must. */
    automatic: z.string().nullable(),
    requires: z.array(z.object({ count: z.number().int(), roles: z.array(z.string()) })),
    escalateAfterHours: z.number().nullable(),
    expireAfterHours: z.number(),
  }),
  /** What callers would find, against the contracts of the versions that are served. */
  contract: contractViewSchema.extend({
    notBefore: z.string().nullable().describe('when a declared cut-over begins, while it is to come'),
  }),
  strategy: z.string(),
  /** Requests for the model over the last quarter of an hour; null when there were none. */
  requestsPerSecond: z.number().nullable(),
  stages: z.array(planStageSchema),
  /** One sentence on each stage that would be lengthened. */
  changes: z.array(z.string()),
  /** Why the rollout would not begin; null when it would. */
  refused: z.string().nullable(),
  /** What stands in the way, or would have to wait. */
  conflicts: z.array(z.string()),
});
export type PromotionPlan = z.infer<typeof promotionPlanSchema>;
