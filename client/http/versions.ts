import { z } from 'zod';
import { evaluationSchema } from '../../domain/evaluation.js';
import { lineageSchema, versionSignatureSchema } from '../../domain/model-version.js';
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
});
export type VersionSummary = z.infer<typeof versionSummarySchema>;
export const versionListSchema = z.object({ versions: z.array(versionSummarySchema) });

export const versionDetailSchema = versionSummarySchema.extend({
  definitionSha256: z.string(),
  snapshotSha256: z.string(),
  artifactKey: z.string(),
  evaluationKey: z.string(),
  signature: versionSignatureSchema,
  gates: z.array(gateSchema),
  lineage: lineageSchema,
  /** The evaluation report with its slices; null when the object store does not answer with it. */
  evaluation: evaluationSchema.nullable(),
  /** Paths of the model card in this API. */
  card: z.object({ markdown: z.string(), json: z.string() }),
});
export type VersionDetail = z.infer<typeof versionDetailSchema>;
