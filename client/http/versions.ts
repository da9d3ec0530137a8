import { z } from 'zod';
import { partitionUses } from '../../domain/data/snapshot/trained-partitions.js';
import { evaluationSchema } from '../../domain/evaluation/evaluation.js';
import { actorSchema } from '../../domain/names.js';
import { trainedPartitionSchema } from './data.js';
import { lineageSchema, tensorInterfaceSchema } from '../../domain/model/model-version.js';
import { listSchema } from './page.js';
import { causeViewSchema, gateSchema, metricValuesSchema, windowSchema } from './runs.js';

export const versionSummarySchema = z.object({
  model: z.string(),
  version: z.number().int(),
  runId: z.string(),
  createdAt: z.iso.datetime(),
  cause: causeViewSchema,
  trainedOn: windowSchema.nullable(),
  testedOn: windowSchema.nullable(),
  metrics: metricValuesSchema,
  artifactSha256: z.string(),
  /** Where it is served now, and its share of the requests there. */
  serving: z.array(z.object({ environment: z.string(), sharePct: z.number() })),
  /** Who put it away, when and why; null while it is not. */
  archived: z.object({ actor: z.string(), reason: z.string(), at: z.iso.datetime() }).nullable(),
});
export type VersionSummary = z.infer<typeof versionSummarySchema>;
export const versionListSchema = listSchema('versions', versionSummarySchema);

export const versionDetailSchema = versionSummarySchema.extend({
  definitionSha256: z.string(),
  snapshotSha256: z.string(),
  artifactKey: z.string(),
  evaluationKey: z.string(),
  /** The score from which its label is `true`. */
  threshold: z.number(),
  signature: tensorInterfaceSchema,
  gates: z.array(gateSchema),
  lineage: lineageSchema,
  /** The evaluation report with its slices; null when the object store does not answer with it. */
  evaluation: evaluationSchema.nullable(),
  /** What it was trained and tested on, against what lies in the lake now; null when the lake does not answer. */
  partitions: z.array(trainedPartitionSchema.extend({ use: z.enum(partitionUses), rows: z.number().int() })).nullable(),
  /** Paths of the model card in this API. */
  card: z.object({ markdown: z.string(), json: z.string() }),
});
/** Puts a version away, or brings it back. */
export const archiveRequestSchema = z.strictObject({
  archived: z.boolean(),
  actor: actorSchema,
  reason: z.string().trim().min(1, 'give a short reason').max(1000),
});
export type ArchiveRequest = z.infer<typeof archiveRequestSchema>;
export type VersionDetail = z.infer<typeof versionDetailSchema>;
