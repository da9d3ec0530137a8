import { z } from 'zod';
import { environmentSchema } from '../../domain/names.js';
import { rolloutPolicySchema } from '../../domain/rollout/rollout-policy.js';

export const rolloutReplayRequestSchema = z.strictObject({
  environment: environmentSchema.optional(),
  /** Decides again; by default the policy that each rollout had. */
  policy: rolloutPolicySchema.optional(),
  limit: z.number().int().min(1).max(500).default(50),
});
export type RolloutReplayRequest = z.input<typeof rolloutReplayRequestSchema>;

const decisionSchema = z.object({ verdict: z.string(), move: z.string() });

export const rolloutReplayListSchema = z.object({
  /** The newest first. */
  rollouts: z.array(
    z.object({
      id: z.string(),
      environment: z.string(),
      challenger: z.number().int(),
      champion: z.number().int().nullable(),
      state: z.string(),
      startedAt: z.iso.datetime(),
      looks: z.number().int(),
      /** Whether the rollout would turn out differently. */
      differs: z.boolean(),
      /** The first look that is decided differently; null when none is. */
      turnsAt: z
        .object({
          look: z.number().int(),
          stageIndex: z.number().int(),
          stage: z.string(),
          before: decisionSchema,
          after: decisionSchema,
        })
        .nullable(),
      summary: z.string(),
    }),
  ),
});
export type RolloutReplayList = z.infer<typeof rolloutReplayListSchema>;
