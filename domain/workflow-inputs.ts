import { z } from 'zod';
import { causeSchema } from './cause.js';
import { whyNotSettable } from './settable-path.js';
import { declaredLineageSchema, importMapSchema, nativeModelSchema } from './imported-model.js';
import { actorSchema, environmentSchema, modelNameSchema, sha256Schema, versionNumberSchema } from './names.js';
import { partitionSchema } from './partition.js';
import { plainTextSchema } from './text/plain-text.js';

type Json = z.infer<ReturnType<typeof z.json>>;

/** Asked before zod reads it, which leaves `__proto__` out without a word. */
const changesSchema = z
  .custom<Record<string, Json>>()
  .superRefine((set, context) => {
    for (const path of set !== null && typeof set === 'object' ? Object.keys(set) : []) {
      const message = whyNotSettable(path);
      if (message !== null) context.addIssue({ code: 'custom', path: [path], message });
    }
  })
  .pipe(z.record(z.string(), z.json()));

/** What a person may type into the Temporal UI's Start form. Every workflow takes one such object. */
export const trainRequestSchema = z.strictObject({
  model: modelNameSchema,
  /** The last partition to use, which is the holdout; the newest there is by default. */
  until: partitionSchema.optional(),
  cause: causeSchema.default({ kind: 'person' }),
  /** Changes to `training` and `data.window` for this run alone, by path: `{"training.parameters.num_leaves": 15}`. */
  set: changesSchema.default({}),
  /** Whose data it takes: production's by default. */
  environment: environmentSchema.optional(),
  /** Train although the same data and definition made a version before. */
  force: z.boolean().default(false),
});
export type TrainRequest = z.input<typeof trainRequestSchema>;

/** A model that was made elsewhere; its file has been sent before (`perdure versions import` does both). */
export const importRequestSchema = z.strictObject({
  model: modelNameSchema,
  /** Of the ONNX file. */
  sha256: sha256Schema,
  /** What its answers must agree with, within `evaluation.parityMax`; absent: nothing. */
  native: nativeModelSchema.optional(),
  map: importMapSchema.optional(),
  /** Where it comes from, in the words of whoever brings it. */
  declared: declaredLineageSchema.default({}),
  /** Of a binary one: the chance from which it says yes; the policy's number by default, 0.5 where it has none. */
  threshold: z.number().min(0).max(1).optional(),
  /** The partition whose rows it is evaluated on; the newest holdout by default. */
  until: partitionSchema.optional(),
  actor: actorSchema.default('unknown'),
});
export type ImportRequest = z.input<typeof importRequestSchema>;

export const promoteRequestSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  /** The first that the model's policy names by default. */
  environment: environmentSchema.optional(),
  requestedBy: actorSchema.default('unknown'),
  /**
   * Further versions that answer copies beside this one while it is rolled out; only where the strategy is `shadow`.
   */
  alsoShadow: z.array(versionNumberSchema).max(10).default([]),
});
export type PromoteRequest = z.input<typeof promoteRequestSchema>;

export const rolloutRequestSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  environment: environmentSchema.default('production'),
  /** The approved promotion that this carries out; the version's latest in the environment by default. */
  promotionId: z.string().optional(),
  /** Further versions that answer copies beside the challenger; only where the strategy is `shadow`. */
  alsoShadow: z.array(versionNumberSchema).max(10).default([]),
});
export type RolloutRequest = z.input<typeof rolloutRequestSchema>;

export const rollbackRequestSchema = z.strictObject({
  model: modelNameSchema,
  environment: environmentSchema.default('production'),
  /** The version to go back to; by default the one that was served before. */
  to: versionNumberSchema.optional(),
  /** The epoch that is left, by default the one in force: asking twice for the same one goes back once. */
  epoch: z.number().int().min(1).optional(),
  actor: actorSchema.default('unknown'),
  reason: plainTextSchema.trim().min(1, 'give a short reason').max(2000),
});
export type RollbackRequest = z.input<typeof rollbackRequestSchema>;

export const steeringSchema = z.strictObject({
  actor: actorSchema.default('unknown'),
  reason: plainTextSchema.max(1000).default(''),
  /** The control API's word that the actor said so. */
  signature: z.string().max(400).optional(),
});
export type Steering = z.infer<typeof steeringSchema>;
export const steeringCommandSchema = z.enum(['pause', 'resume', 'advance', 'abort']);
export type SteeringCommand = z.infer<typeof steeringCommandSchema>;

/** A rollout whose workflow has ended: its share is given back and its row closed. */
export const giveBackRequestSchema = z.strictObject({
  rolloutId: z.string().min(1).max(200),
  why: plainTextSchema.max(900).default('requested by a person'),
});
export type GiveBackRequest = z.input<typeof giveBackRequestSchema>;

/** Late labels' last word on a rollout that is over, by its id. */
export const reviewRequestSchema = z.strictObject({ rolloutId: z.string().min(1).max(200) });
export type ReviewRequest = z.input<typeof reviewRequestSchema>;
