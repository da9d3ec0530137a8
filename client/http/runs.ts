import { z } from 'zod';
import { waitKinds } from '../../domain/training/run-queue.js';
import { listSchema } from './page.js';

const metricsSchema = z.record(z.string(), z.number().nullable());
export const windowSchema = z.object({ from: z.string(), to: z.string(), rows: z.number().int() });
export const gateSchema = z.looseObject({ name: z.string(), outcome: z.string() });
export type Gate = z.infer<typeof gateSchema>;
export const causeViewSchema = z.object({ kind: z.string(), id: z.string().optional(), actor: z.string().optional() });

export const runSummarySchema = z.object({
  id: z.string(),
  workflowId: z.string(),
  model: z.string(),
  cause: causeViewSchema,
  until: z.string().nullable(),
  /** Whose data it takes. */
  environment: z.string(),
  /** Of that data, at most so many rows; null for all. */
  sample: z.object({ rows: z.number().int(), seed: z.number().int() }).nullable(),
  startedAt: z.iso.datetime(),
  /** Null while the run goes on; the outcome too. */
  finishedAt: z.iso.datetime().nullable(),
  outcome: z.string().nullable(),
  reason: z.string().nullable(),
  /** The version that it registered. */
  version: z.number().int().nullable(),
  metrics: metricsSchema.nullable(),
  /** The step under way, or the last one taken. */
  step: z.string().nullable(),
  /** Which runs go first, 1 before 5. */
  priority: z.number().int(),
  /**
   * What it waits for: other runs of its model, or a slot of a worker. Null while it goes on, and once it has ended.
   */
  waiting: z
    .object({
      for: z.enum(waitKinds),
      since: z.iso.datetime(),
      /** 1 goes next. */
      place: z.number().int(),
      of: z.number().int(),
    })
    .nullable(),
});
export type RunSummary = z.infer<typeof runSummarySchema>;
export const runListSchema = listSchema('runs', runSummarySchema);

export const runDetailSchema = runSummarySchema.extend({
  definitionSha256: z.string(),
  snapshotSha256: z.string().nullable(),
  artifactSha256: z.string().nullable(),
  evaluationKey: z.string().nullable(),
  trainedOn: windowSchema.nullable(),
  testedOn: windowSchema.nullable(),
  gates: z.array(gateSchema).nullable(),
  steps: z.array(
    z.object({
      step: z.string(),
      startedAt: z.iso.datetime(),
      finishedAt: z.iso.datetime().nullable(),
      durationMs: z.number().nullable(),
      summary: z.string().nullable(),
    }),
  ),
});
export type RunDetail = z.infer<typeof runDetailSchema>;
export { metricsSchema as metricValuesSchema };
