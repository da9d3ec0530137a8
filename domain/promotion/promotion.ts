import { z } from 'zod';
import { contractCompatibilitySchema } from '../data/contract-compatibility.js';
import { rowSampleSchema } from '../data/snapshot/row-sample.js';
import { metricsSchema } from '../metrics/measured.js';
import { actorSchema, environmentSchema, modelNameSchema, sha256Schema, versionNumberSchema } from '../names.js';
import { plainTextSchema } from '../text/plain-text.js';
import { promotionPolicySchema } from './promotion-policy.js';

export type PromotionState =
  | 'gathering-evidence'
  | 'waiting-for-approval'
  | 'rolling-out'
  | 'promoted'
  | 'rejected'
  | 'expired'
  | 'withdrawn'
  | 'superseded'
  | 'rolled-back'
  | 'failed';

/** What a person sees before deciding. Its SHA-256 is what a decision is bound to. */
export const evidenceSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  environment: environmentSchema,
  champion: versionNumberSchema.nullable(),
  artifactSha256: sha256Schema,
  snapshotSha256: sha256Schema,
  definitionSha256: sha256Schema,
  /** Candidate and champion on the candidate's holdout, slices included. */
  evaluationKey: z.string(),
  evaluationSha256: sha256Schema,
  metrics: metricsSchema,
  championMetrics: metricsSchema.nullable(),
  /** Why the champion could not be measured on the same rows; absent where it was, or where there is none. */
  notCompared: z.string().optional(),
  gates: z.array(z.strictObject({ name: z.string(), outcome: z.string() })),
  /**
   * What callers will find, against the contracts of the versions that are served. Absent in evidence of earlier
   * releases.
   */
  contract: contractCompatibilitySchema.extend({ against: z.array(versionNumberSchema) }).optional(),
  policy: promotionPolicySchema,
  /**
   * How it will be rolled out. This and what follows is absent in evidence of version 0.1.0, which is gathered again
   * before the effect.
   */
  rollout: z.looseObject({ strategy: z.string() }).optional(),
  /** SHA-256 of the model card's canonical JSON. */
  cardSha256: sha256Schema.optional(),
  /** The sample that trained it; absent where all of production's data did. */
  sample: rowSampleSchema.optional(),
  /** Who caused the run that trained it. */
  trainedBy: actorSchema.optional(),
  /**
   * The promotion by which the environment before this one got the version, and its artifact; null in the first
   * environment.
   */
  before: z
    .strictObject({ environment: environmentSchema, promotionId: z.string(), artifactSha256: sha256Schema })
    .nullable()
    .optional(),
  /** Of gates, promotion and rollout of the applied definition. Absent in evidence of version 0.1.0. */
  rulesSha256: sha256Schema.optional(),
  /** Of what the environment asked of every definition. */
  floorSha256: sha256Schema.optional(),
  /** When and why the version was taken back here, since a rollout last brought it in; null where it was not. */
  setBack: z.strictObject({ epoch: z.number().int(), at: z.string(), reason: z.string() }).nullable().optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

/** A decision as it comes in by Signal; an Update carries `decision` beside it. */
export const signalDecisionSchema = z.strictObject({
  actor: actorSchema,
  comment: plainTextSchema.max(4000).default(''),
  evidenceSha256: sha256Schema.optional(),
  signature: z.string().max(4000).optional(),
});
export type SignalDecision = z.infer<typeof signalDecisionSchema>;

export const decisionSchema = signalDecisionSchema.extend({ decision: z.enum(['approve', 'reject', 'withdraw']) });
export type Decision = z.infer<typeof decisionSchema>;

export interface CountedDecision {
  actor: string;
  decision: Decision['decision'];
  counted: boolean;
  /** The actor's roles when it was ruled on. Absent in decisions that version 0.1.0 recorded. */
  roles?: string[];
}

/** Whether a candidate that has shown its evidence takes the place of older ones that wait: its policy says so. */
export const takesPlaceOfOlder = ({ evidence }: { evidence: Evidence | null }): boolean =>
  evidence !== null && evidence.policy.olderWaiting !== 'keep';
