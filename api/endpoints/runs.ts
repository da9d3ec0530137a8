import { z } from 'zod';
import type { Database } from '../../db/connect.js';
import { openRuns } from '../../db/training/open-runs.js';
import { listRuns, runWithSnapshot, type RunListRow } from '../../db/training/run-lists.js';
import { runQueue, type RunWait } from '../../domain/training/run-queue.js';
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
      const page = await listRuns(db, { ...query, before });
      const queue = await queueOf(db, page.items);
      return listReply('runs', page, (row) => summary(row, queue));
    },
  );

  app.get(
    '/runs/:id',
    { schema: { tags: ['runs'], params: ofRun, response: { 200: runDetailSchema } } },
    async ({ params }) => {
      const run = await runWithSnapshot(db, params.id);
      const { definitionSha256, snapshotSha256, artifactSha256, evaluationKey } = run;
      return {
        ...summary({ ...run, step: run.steps.at(-1)?.step ?? null }, await queueOf(db, [run])),
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

/** What waits, where any of these runs may be among it. */
const queueOf = async (
  db: Database,
  rows: readonly { finishedAt: Date | null }[],
): Promise<ReadonlyMap<string, RunWait>> =>
  rows.some((row) => row.finishedAt === null) ? runQueue(await openRuns(db), new Date()) : new Map();

function summary(run: RunListRow, queue: ReadonlyMap<string, RunWait>): RunSummary {
  const waiting = queue.get(run.id);
  const { id, workflowId, model, until, sample, outcome, reason, version, metrics, step, priority } = run;
  return {
    environment: run.environment ?? 'production',
    sample: sample && { rows: sample.rows, seed: sample.seed },
    ...{ id, workflowId, model, until, outcome, reason, version, metrics, step, priority },
    cause: causeView(run.cause),
    startedAt: run.startedAt.toISOString(),
    finishedAt: run.finishedAt?.toISOString() ?? null,
    waiting: waiting ? { ...waiting, since: waiting.since.toISOString() } : null,
  };
}
