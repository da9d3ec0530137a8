import { z } from 'zod';
import { listRuns, runWithSnapshot, type RunListRow } from '../../db/training/run-lists.js';
import { modelNameSchema } from '../../domain/names.js';
import { listReply } from '../../client/http/page.js';
import { runDetailSchema, runListSchema, type RunSummary } from '../../client/http/runs.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';
import { causeView } from '../model/version-view.js';

const listQuery = pageQuerySchema.extend({
  model: modelNameSchema.optional(),
  before: z.iso.datetime({ offset: true }).optional(),
});
const ofRun = z.object({ id: z.string().min(1).max(200) });

/** Runs of the training pipeline, the newest first, and one with its steps. */
export const runEndpoints: EndpointGroup = (app, { db }) => {
  app.get(
    '/runs',
    { schema: { tags: ['runs'], querystring: listQuery, response: { 200: runListSchema } } },
    async ({ query }) => {
      const before = query.before === undefined ? undefined : new Date(query.before);
      return listReply('runs', await listRuns(db, { ...query, before }), summary);
    },
  );

  app.get(
    '/runs/:id',
    { schema: { tags: ['runs'], params: ofRun, response: { 200: runDetailSchema } } },
    async ({ params }) => {
      const run = await runWithSnapshot(db, params.id);
      const { definitionSha256, snapshotSha256, artifactSha256, evaluationKey } = run;
      return {
        ...summary({ ...run, step: run.steps.at(-1)?.step ?? null }),
        ...{ definitionSha256, snapshotSha256, artifactSha256, evaluationKey },
        trainedOn: run.manifest?.trainedOn ?? null,
        testedOn: run.manifest?.testedOn ?? null,
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

function summary(run: RunListRow): RunSummary {
  const { id, workflowId, model, until, outcome, reason, version, metrics, step } = run;
  return {
    ...{ id, workflowId, model, until, outcome, reason, version, metrics, step },
    cause: causeView(run.cause),
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
  };
}
