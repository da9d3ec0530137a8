import { z } from 'zod';
import { processIdentitySchema } from './end-process.js';

export const runFileSchema = z.object({
  name: z.string(),
  process: processIdentitySchema,
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  graceMs: z.number().int().positive(),
  adoptAs: z.string().optional(),
});

/** What `<home>/run/<name>.json` says: which process a component is, so that a later supervisor can find it. */
export type RunFile = z.infer<typeof runFileSchema>;
