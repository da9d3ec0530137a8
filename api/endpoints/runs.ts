import { z } from 'zod';
import { listRuns, runWithSnapshot, type RunWithVersion } from '../../db/training/run-lists.js';
import { modelNameSchema } from '../../domain/names.js';
import { runDetailSchema, runListSchema, type RunSummary } from '../../client/http/runs.js';
import { limitSchema, type EndpointGroup } from '../endpoint-group.js';
import { causeView, windowsOf } from '../model/version-view.js';

const listQuery = z.object({
  model: modelNameSchema.optional(),
  before: z.iso.datetime({ offset: true }).optional(),
  limit: limitSchema,
});
const ofRun = z.object({ id: z.string().min(1).max(200) });

/** Runs of the training pipeline, the newest first, and one with its steps. */
export const runEndpoints: EndpointGroup = (app, { db }) => {
  app.get(
    '/runs',
    { schema: { tags: ['runs'], querystring: listQuery, response: { 200: runListSchema } } },
    async ({ query }) => {
      const rows = await listRuns(db, {
        ...query,
        before: query.before === undefined ? undefined : new Date(query.before),
      });
      return { runs: rows.map(summary) };
    },
  );

  app.get(
    '/runs/:id',
    { schema: { tags: ['runs'], params: ofRun, response: { 200: runDetailSchema } } },
    async ({ params }) => {
      const run = await runWithSnapshot(db, params.id);
      const { definitionSha256, snapshotSha256, artifactSha256, evaluationKey } = run;
      return {
        ...summary(run),
        ...{ definitionSha256, snapshotSha256, artifactSha256, evaluationKey },
        ...windowsOf(run.manifest),
        gates: run.gates?.map((gate) => ({ ...gate })) ?? null,
        steps: run.steps.map(({ step, startedAt, finishedAt, summary: made }) => ({
          step,
          startedAt: startedAt.toISOString(),
          finishedAt: finishedAt?.toISOString() ?? null,
          durationMs: finishedAt ? finishedAt.getTime() - startedAt.getTime() : null,
          summary: made,
        })),
      };
    },
  );
};

function summary(run: RunWithVersion): RunSummary {
  const { id, workflowId, model, until, outcome, reason, version, metrics } = run;
  return {
    ...{ id, workflowId, model, until, outcome, reason, version, metrics },
    cause: causeView(run.cause),
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    step: run.steps.at(-1)?.step ?? null,
  };
}
