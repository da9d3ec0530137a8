import { z } from 'zod';
import { digestOf } from '../../domain/canonical-json.js';
import { contractSchema } from '../../domain/data/contract.js';
import { evaluationPolicySchema } from '../../domain/evaluation/evaluation-policy.js';
import { evaluationSchema } from '../../domain/evaluation/evaluation.js';
import { sha256Schema } from '../../domain/names.js';
import { taskNameSchema } from '../../domain/tasks/task.js';

const fileSchema = z.strictObject({
  path: z.string().min(1),
  /** Checked before the file is used. */
  sha256: sha256Schema,
});
export type DigestedFile = z.infer<typeof fileSchema>;

/** In the order of a version's chances; of a classifier whose contract lists none. */
const classesSchema = z.array(z.union([z.string(), z.number()]));

/** What one evaluation needs. */
export const evaluationRequestSchema = z.strictObject({
  /** `binary` when absent. */
  task: taskNameSchema.optional(),
  classes: classesSchema.optional(),
  /** The chance from which the candidate predicts yes; the policy's own number when absent. */
  threshold: z.number().optional(),
  candidate: fileSchema,
  /** Of a cross-validation: models that have not seen these files of the holdout, by their places; each file is of one. */
  folds: z.array(z.strictObject({ ...fileSchema.shape, holdout: z.array(z.number().int().min(0)) })).optional(),
  champion: z
    .strictObject({
      ...fileSchema.shape,
      version: z.number().int().min(1),
      /** The chance from which it predicts yes; the candidate's when absent. */
      threshold: z.number().optional(),
      /** Its own, where they are not the candidate's. */
      classes: classesSchema.optional(),
      /**
       * The same rows in the same order with the champion's own features; absent where it reads those of the candidate.
       */
      own: z.strictObject({ contract: contractSchema, holdout: z.array(fileSchema).min(1) }).optional(),
      /** Why it cannot be asked at all on these rows. */
      impossible: z.string().optional(),
    })
    .nullable(),
  /** Where to write what the models said, for metrics of the team's own: see `writeScoresFile`. */
  scoresPath: z.string().min(1).optional(),
  /** Parquet files, in order, with the contract's features and label as columns. */
  holdout: z.array(fileSchema).min(1),
  contract: contractSchema,
  policy: evaluationPolicySchema,
  /**
   * Parquet with what the native model says of each holdout row, in the same order (`nativeColumns` of the task); null
   * when the trainer gave none. Of an imported model: the model that it came from, which is asked of the same rows.
   */
  /** Whether to find out which features matter, by permuting them; of the trainer's own word where absent. */
  importances: z.boolean().optional(),
  native: z.union([z.strictObject({ path: z.string().min(1) }), z.strictObject({ model: fileSchema })]).nullable(),
});
export type EvaluationRequest = z.infer<typeof evaluationRequestSchema>;

/** Messages to the evaluation process. */
export const evaluationOrderSchema = z.strictObject({
  request: evaluationRequestSchema,
  timeoutMs: z.number().positive(),
});

/** Messages from the evaluation process. */
export const evaluationAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('progress'), step: z.string(), donePct: z.number() }),
  z.strictObject({ kind: z.literal('done'), evaluation: evaluationSchema }),
  z.strictObject({
    kind: z.literal('failed'),
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
]);
export type EvaluationAnswer = z.infer<typeof evaluationAnswerSchema>;

/** The identity of a holdout: the digest of the list of its files' digests. */
export function holdoutDigest(files: readonly Pick<DigestedFile, 'sha256'>[]): string {
  return digestOf(files.map((file) => file.sha256));
}
