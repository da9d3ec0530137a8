import { z } from 'zod';
import { PerdureError } from './errors.js';
import { columnNameSchema, sha256Schema, versionNumberSchema } from './names.js';
import { plainTextSchema } from './text/plain-text.js';

const said = plainTextSchema.trim().min(1).max(2000).optional();

/** What whoever brings a model says of where it comes from. Nobody checks it, and the card says so. */
export const declaredLineageSchema = z.strictObject({
  /** Where it was made: a company, a tool, an address. */
  source: said,
  author: said,
  notebook: said,
  codeRevision: said,
  /** The data that it was trained on, in words. */
  trainedOn: said,
  licence: said,
  notes: said,
  libraries: z
    .record(z.string().min(1).max(100), z.string().min(1).max(100))
    .refine((libraries) => Object.keys(libraries).length <= 50, 'at most 50 libraries')
    .optional(),
});
export type DeclaredLineage = z.infer<typeof declaredLineageSchema>;

const tensorNameSchema = z.string().min(1).max(200);

/** Which of a file's inputs and outputs is which of the contract's, where their names do not say. */
export const importMapSchema = z.strictObject({
  /** An input's feature; of a matrix, the features of its columns in order. */
  inputs: z
    .record(tensorNameSchema, z.union([columnNameSchema, z.array(columnNameSchema).min(1).max(10_000)]))
    .optional(),
  /** An output of the task by the file's name for it; `apply` where it gives logits. */
  outputs: z
    .record(
      tensorNameSchema,
      z.union([
        columnNameSchema,
        z.strictObject({ as: columnNameSchema, apply: z.enum(['softmax', 'sigmoid']).optional() }),
      ]),
    )
    .optional(),
  /** Of a classifier whose contract lists none, in the order of its probabilities. */
  classes: z
    .array(z.union([z.int(), z.string().min(1).max(256)]))
    .min(2)
    .max(1000)
    .optional(),
});
export type ImportMap = z.infer<typeof importMapSchema>;

/** What a quantised or converted model is compared with: a file that was sent, or a version. */
export const nativeModelSchema = z.union([
  z.strictObject({ sha256: sha256Schema }),
  z.strictObject({ version: versionNumberSchema }),
]);

/** In the lineage of a version that was made elsewhere. */
export const importedSchema = z.strictObject({
  /** Of the file as it was brought. */
  fileSha256: sha256Schema,
  /** Of what it was compared with on every row, as it is asked; absent where there was nothing. */
  nativeSha256: sha256Schema.optional(),
  declared: declaredLineageSchema,
});
export type Imported = z.infer<typeof importedSchema>;

const evenChance = 0.5;

/**
 * The threshold of an imported model: the policy's number, which whoever brings it may not replace. Where the policy
 * has one chosen, the one that is brought: nothing is chosen on the rows that it is tested on, and there are no others.
 * @throws PerdureError `input/invalid`.
 */
export function importThreshold(policy: number | string, asked: number | undefined): number {
  if (typeof policy !== 'number') return asked ?? evenChance;
  if (asked !== undefined && asked !== policy)
    throw new PerdureError(
      'input/invalid',
      `threshold: the definition says ${policy}, not ${asked}. Leave it out, or change evaluation.threshold and apply.`,
      { threshold: asked },
    );
  return policy;
}

/** Of a file that is sent: as large as a model may be. */
export const importBytesMax = 256 * 1024 * 1024;
