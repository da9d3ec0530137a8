import { z } from 'zod';
import { columnNameSchema, modelNameSchema } from '../names.js';
import { algorithmSchema } from './training-policy.js';

/**
 * The contract with trainer programs: specification in, messages and a result out. `trainers/README.md` says it in
 * words.
 */

const trainerFeatureSchema = z.strictObject({
  name: columnNameSchema.refine(
    (name) => name !== 'label' && name !== 'probabilities',
    'is the name of an output of the model; rename the feature',
  ),
  type: z.enum(['number', 'string']),
  nullable: z.boolean(),
});
export type TrainerFeature = z.infer<typeof trainerFeatureSchema>;

const labelSchema = z.discriminatedUnion('type', [
  z.strictObject({ name: columnNameSchema, type: z.literal('boolean') }),
  z.strictObject({
    name: columnNameSchema,
    type: z.literal('integer'),
    classes: z.array(z.number().int()).min(2).optional(),
  }),
  z.strictObject({
    name: columnNameSchema,
    type: z.literal('string'),
    classes: z.array(z.string().min(1)).min(2).optional(),
  }),
]);

/** Absolute paths of Parquet files, read in this order. */
const filesSchema = z.array(z.string().startsWith('/', 'must be an absolute path')).min(1);

export const trainerSpecSchema = z.strictObject({
  specVersion: z.literal(1),
  model: modelNameSchema,
  /** `program` for a trainer of the team's own. */
  algorithm: z.union([algorithmSchema, z.literal('program')]),
  /** By the library's own names; the trainer refuses what it does not know. */
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  seed: z.number().int().min(0).max(2_147_483_647),
  /** In the order in which the model sees them. */
  features: z.array(trainerFeatureSchema).min(1),
  label: labelSchema,
  trainFiles: filesSchema,
  holdoutFiles: filesSchema,
  threads: z.number().int().min(1).max(64),
  memoryMb: z.number().int().min(64).max(16_777_216),
});
export type TrainerSpec = z.infer<typeof trainerSpecSchema>;

const phaseSchema = z.enum(['load', 'fit', 'convert', 'verify', 'write']);
const fractionSchema = z.number().min(0).max(1);

/** One line of a trainer's stdout. */
export const trainerMessageSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('progress'),
    phase: phaseSchema,
    fraction: fractionSchema,
    message: z.string().max(1000),
  }),
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('error'), code: z.string().min(1).max(100), message: z.string().min(1).max(4000) }),
]);
export type TrainerMessage = z.infer<typeof trainerMessageSchema>;
export type TrainerProgress = Extract<TrainerMessage, { kind: 'progress' }>;

const metricsSchema = z.object({
  logLoss: z.number(),
  /** Null where the rows hold one class only. */
  rocAuc: fractionSchema.nullable(),
});
const tensorSchema = z.object({ name: z.string(), type: z.string(), shape: z.array(z.number().int()) });

/** What a trainer writes to `result.json`. JSON has no NaN: a metric that is not finite never gets here. */
export const trainerResultSchema = z.object({
  specVersion: z.literal(1),
  algorithm: z.string(),
  /** Every parameter that took effect, defaults included. */
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  rowsTrained: z.number().int().min(1),
  rowsHeldOut: z.number().int().min(1),
  trainMetrics: metricsSchema,
  holdoutMetrics: metricsSchema,
  /** Shares of the whole gain, greatest first; they sum to 1, or are all 0 where the model uses no feature. */
  featureImportances: z.array(z.object({ feature: z.string(), share: fractionSchema })),
  /** What the output `label` may say, in the order of `probabilities`; 0 and 1 for a boolean label. */
  classes: z.array(z.union([z.number().int(), z.string()])).min(2),
  onnx: z.object({
    opset: z.number().int(),
    mlOpset: z.number().int(),
    ir: z.number().int(),
    inputs: z.array(tensorSchema),
    /** -1 stands for the number of rows. */
    outputs: z.array(tensorSchema),
  }),
  /** Greatest difference of a probability, native against ONNX, on the trainer's own sample of rows. */
  parityOnSample: z.number().min(0),
  libraries: z.record(z.string(), z.string()),
  durationsMs: z.record(z.string(), z.number().min(0)),
});
export type TrainerReport = z.infer<typeof trainerResultSchema>;
