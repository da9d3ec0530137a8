import { z } from 'zod';
import { columnNameSchema, modelNameSchema } from '../names.js';
import { taskNameSchema } from '../tasks/task.js';
import { taskOf } from '../tasks/task-of.js';
import { algorithmSchema } from './training-policy.js';

/**
 * The contract with trainer programs: specification in, messages and a result out. `trainers/README.md` says it in
 * words.
 */

const trainerFeatureSchema = z.strictObject({
  name: columnNameSchema,
  type: z.enum(['number', 'integer', 'boolean', 'string', 'timestamp', 'text', 'vector', 'list']),
  nullable: z.boolean(),
  /** Of a vector. */
  length: z.int().min(1).optional(),
  /** Of a list: what it holds, and how many at most. */
  of: z.enum(['number', 'integer', 'boolean', 'string', 'timestamp', 'text']).optional(),
  maxLength: z.int().min(1).optional(),
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
  z.strictObject({ name: columnNameSchema, type: z.literal('number') }),
]);

/** Absolute paths of Parquet files, read in this order. */
const filesSchema = z.array(z.string().startsWith('/', 'must be an absolute path')).min(1);

export const trainerSpecSchema = z
  .strictObject({
    specVersion: z.literal(2),
    task: taskNameSchema,
    model: modelNameSchema,
    /** `program` for a trainer of the team's own. */
    algorithm: z.union([algorithmSchema, z.literal('program')]),
    /** By the library's own names; the trainer refuses what it does not know. */
    parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    seed: z.number().int().min(0).max(2_147_483_647),
    /** In the order in which the model sees them. */
    features: z.array(trainerFeatureSchema).min(1),
    /** Absent where the task has none. */
    label: labelSchema.optional(),
    /** Of a ranking: the column whose rows are put in order together. */
    group: columnNameSchema.optional(),
    /** Of a regression: probabilities of the quantiles that it also answers with, rising. */
    quantiles: z.array(z.number().gt(0).lt(1)).min(1).optional(),
    /** Of an embedding: how many numbers. */
    length: z.int().min(1).optional(),
    /** Asks for answers on the training rows by models that have not seen them. */
    outOfFold: z.strictObject({ folds: z.int().min(2).max(20), seed: z.int().min(0).max(2_147_483_647) }).optional(),
    trainFiles: filesSchema,
    /** Without the label: who evaluates keeps it. */
    holdoutFiles: filesSchema,
    threads: z.number().int().min(1).max(64),
    memoryMb: z.number().int().min(64).max(16_777_216),
  })
  .superRefine(({ task, features, quantiles = [] }, context) => {
    const outputs = taskOf({ task }).outputs({ classes: [], quantiles, length: 0 });
    const taken = new Set(outputs.map(({ name }) => name));
    for (const [index, { name }] of features.entries())
      if (taken.has(name))
        context.addIssue({
          code: 'custom',
          path: ['features', index, 'name'],
          message: 'is the name of an output of the model; rename the feature',
        });
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

/** By the task's metric keys; null where a metric is not defined on the rows. */
const metricsSchema = z.record(z.string(), z.number().nullable());
const tensorSchema = z.object({ name: z.string(), type: z.string(), shape: z.array(z.number().int()) });

/** What a trainer writes to `result.json`. JSON has no NaN: a metric that is not finite never gets here. */
export const trainerResultSchema = z.object({
  /** 1 in results of before tasks, which are all of classifiers. */
  specVersion: z.union([z.literal(1), z.literal(2)]),
  algorithm: z.string(),
  /** Every parameter that took effect, defaults included. */
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  /** Both 0 of a model that was made elsewhere. */
  rowsTrained: z.number().int().min(0),
  rowsHeldOut: z.number().int().min(0),
  /** On the training rows; the holdout's are the platform's to measure. */
  trainMetrics: metricsSchema,
  /** Shares of the whole gain, greatest first; they sum to 1, or are all 0 where the model uses no feature. */
  featureImportances: z.array(z.object({ feature: z.string(), share: fractionSchema })),
  /**
   * Of a classifier: what the output `label` may say, in the order of `probabilities`; 0 and 1 for a boolean label.
   */
  classes: z
    .array(z.union([z.number().int(), z.string()]))
    .min(2)
    .optional(),
  onnx: z.object({
    opset: z.number().int(),
    mlOpset: z.number().int(),
    ir: z.number().int(),
    inputs: z.array(tensorSchema),
    /** -1 stands for the number of rows. */
    outputs: z.array(tensorSchema),
  }),
  /** Greatest difference, native against ONNX, on the trainer's own sample of rows; of numbers relative to them. */
  parityOnSample: z.number().min(0),
  libraries: z.record(z.string(), z.string()),
  durationsMs: z.record(z.string(), z.number().min(0)),
});
export type TrainerReport = z.infer<typeof trainerResultSchema>;
