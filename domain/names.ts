import { z } from 'zod';
import { plainTextSchema } from './text/plain-text.js';

export const modelNameSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, 'must be 1 to 63 lower-case letters, digits and dashes, starting with a letter');

/** Names of columns, features, tables and labels: what SQL, ONNX and Parquet can all carry without quoting trouble. */
export const columnNameSchema = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be 1 to 63 letters, digits and underscores, not starting with a digit');

/** Which there are, and in which order, says `perdure.config.ts`; a stored name may be of one that it lists no more. */
export const environmentSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be 1 to 31 lower-case letters, digits and dashes, starting with a letter');
export type Environment = z.infer<typeof environmentSchema>;

export const versionNumberSchema = z.number().int().min(1);

/** Who acts: a person's name or address, or `system:schedule` and the like. */
export const actorSchema = plainTextSchema.trim().min(1).max(200);

export const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 written as 64 lower-case hex digits');
