import { z } from 'zod';
import { environmentSchema, modelNameSchema, sha256Schema, versionNumberSchema } from './names.js';

export const splitSchema = z
  .array(z.strictObject({ version: versionNumberSchema, sharePct: z.number().min(0).max(100) }))
  .min(1)
  .refine((split) => Math.abs(split.reduce((sum, part) => sum + part.sharePct, 0) - 100) < 1e-9, 'shares must add up to 100')
  .refine((split) => new Set(split.map((part) => part.version)).size === split.length, 'a version may stand once');
export type Split = z.infer<typeof splitSchema>;

/** What an environment serves of a model. Replaced whole; epochs rise, and compare only within one store. */
export const routeSchema = z.strictObject({
  storeId: z.string(),
  environment: environmentSchema,
  model: modelNameSchema,
  epoch: z.number().int().min(1),
  /** The champion first. */
  split: splitSchema,
  reason: z.string(),
  at: z.iso.datetime(),
});
export type Route = z.infer<typeof routeSchema>;

/** What a gateway needs to serve one version. */
export const servedVersionSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  artifactSha256: sha256Schema,
  artifactKey: z.string(),
  definitionSha256: sha256Schema,
});
export type ServedVersion = z.infer<typeof servedVersionSchema>;

/** The version with the greatest share, the first one at a tie. */
export function championOf(split: Split): number {
  return split.reduce((best, part) => (part.sharePct > best.sharePct ? part : best)).version;
}
