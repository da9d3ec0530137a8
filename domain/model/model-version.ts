import { z } from 'zod';
import { rowSampleSchema } from '../data/snapshot/row-sample.js';
import { environmentSchema, sha256Schema } from '../names.js';
import { importedSchema } from '../imported-model.js';
import { classNameSchema } from '../tasks/task.js';

const tensorSchema = z.strictObject({ name: z.string(), type: z.string(), shape: z.array(z.number().int()) });

/** What goes into a version and comes out of it, as its artifact says. */
export const tensorInterfaceSchema = z.strictObject({
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
  /** Of a classifier: its classes, in the order of `probabilities`. */
  classes: z.array(classNameSchema).optional(),
});
export type TensorInterface = z.infer<typeof tensorInterfaceSchema>;

/** What was trained without a fold of the snapshot. */
export const foldModelSchema = z.strictObject({ fold: z.number().int().min(0), artifactSha256: sha256Schema });
export type FoldModel = z.infer<typeof foldModelSchema>;

/** Where a version comes from: enough to make it again. */
export const lineageSchema = z.strictObject({
  runId: z.string(),
  snapshotSha256: sha256Schema,
  definitionSha256: sha256Schema,
  /** Git commit of the checkout, with `+changes` where files were changed; null outside of git. */
  codeRevision: z.string().nullable(),
  /** Digest of the trainer's lock file and Python version. */
  environmentSha256: sha256Schema,
  /** Of a trainer of the team's own. */
  programSha256: sha256Schema.optional(),
  /** Of a model that was made elsewhere. */
  imported: importedSchema.optional(),
  libraries: z.record(z.string(), z.string()),
  seed: z.number().int(),
  /** Of a cross-validated version: the models that had not seen a fold, and were evaluated on it. */
  folds: z.array(foldModelSchema).optional(),
  /** Whose data trained it, and how much of that; absent in versions of before, which took all of production's. */
  data: z.strictObject({ environment: environmentSchema, sample: rowSampleSchema.optional() }).optional(),
});
export type Lineage = z.infer<typeof lineageSchema>;
