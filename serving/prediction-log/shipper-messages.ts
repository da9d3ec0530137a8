import { z } from 'zod';
import { environmentSchema } from '../../domain/names.js';

export const shipperOptionsSchema = z.object({
  environment: environmentSchema,
  /** Folders of the two spools. */
  spools: z.object({ predictions: z.string(), labels: z.string() }),
  /** For half-made Parquet files. */
  workFolder: z.string(),
  everyMs: z.number().int().min(10),
  store: z.object({
    endpoint: z.string(),
    region: z.string(),
    bucket: z.string(),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
});
export type ShipperOptions = z.infer<typeof shipperOptionsSchema>;

/** From the shipper's process to the gateway. */
export type FromShipper =
  | { kind: 'ready' }
  | { kind: 'shipped'; log: 'predictions' | 'labels'; file: string; rows: number; torn: number; damaged: number }
  | { kind: 'failed'; message: string };
