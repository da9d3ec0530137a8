import { z } from 'zod';
import { comparisonSchema, evaluationSections, scoredSchema } from '../metrics/measured.js';
import { foldSpreadSchema } from './fold-spread.js';
import { sha256Schema } from '../names.js';
import { permutationImportancesSchema } from './importances.js';

const finite = z.number().refine(Number.isFinite, 'must be finite');

/** What one evaluation of a candidate on a frozen holdout found; the champion, where there is one, on the same rows. */
export const evaluationSchema = z.strictObject({
  holdoutSha256: sha256Schema,
  candidateSha256: sha256Schema,
  championSha256: sha256Schema.nullable(),
  championVersion: z.number().int().nullable(),
  /** Why the champion could not be measured on these rows. Absent where it was, or where there is none. */
  notCompared: z.string().optional(),
  /** The champion that was not asked, for it has learned rows of this holdout. Absent where there is none such. */
  leftOut: z.strictObject({ version: z.number().int(), reason: z.string() }).optional(),
  /**
   * Digest of the files that hold the same rows with the champion's own features. Absent where it reads those of the
   * candidate.
   */
  championHoldoutSha256: sha256Schema.optional(),
  /** The score from which the predicted class is the positive one; null where the task has none. */
  threshold: z.number().nullable(),
  overall: scoredSchema,
  comparison: comparisonSchema.nullable(),
  slices: z.array(
    z.strictObject({
      feature: z.string(),
      level: z.string(),
      scored: scoredSchema,
      comparison: comparisonSchema.nullable(),
    }),
  ),
  /**
   * Largest difference between the native model and ONNX over the whole holdout, of an unbounded output relative to its
   * size above 1; null when it was not measured again.
   */
  parityMaxDifference: finite.nullable(),
  /** Of a cross-validation: metrics fold by fold. The scores of all rows are those of the folds' models. */
  folds: foldSpreadSchema.optional(),
  /** Where the trainer said of no feature how much it matters. */
  importances: permutationImportancesSchema.optional(),
  ...evaluationSections,
});
export type Evaluation = z.infer<typeof evaluationSchema>;
