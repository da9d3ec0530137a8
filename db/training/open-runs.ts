import { and, inArray, isNull } from 'drizzle-orm';
import { groupBy } from '../../domain/group-by.js';
import type { OpenRun } from '../../domain/training/run-queue.js';
import type { Database } from '../connect.js';
import { runs, runSteps } from '../schema/index.js';

/** More are open only where something is very wrong; the oldest are told of. */
const openMax = 2_000;

/** Runs that have not ended, with their steps, the oldest first. */
export async function openRuns(db: Database): Promise<OpenRun[]> {
  const { id: runId, workflowId, model, priority, startedAt, admittedAt } = runs;
  const open = await db.orm
    .select({ runId, workflowId, model, priority, startedAt, admittedAt })
    .from(runs)
    .where(isNull(runs.finishedAt))
    .orderBy(startedAt)
    .limit(openMax);
  if (open.length === 0) return [];
  const steps = await db.orm
    .select({ runId: runSteps.runId, step: runSteps.step, finishedAt: runSteps.finishedAt })
    .from(runSteps)
    .where(
      inArray(
        runSteps.runId,
        open.map((run) => run.runId),
      ),
    );
  const byRun = groupBy(steps, (step) => step.runId);
  return open.map((run) => ({ ...run, steps: byRun.get(run.runId) ?? [] }));
}

/** Which of these runs have not ended. */
export async function stillOpen(db: Database, ids: readonly string[]): Promise<Set<string>> {
  const open = new Set<string>();
  for (let from = 0; from < ids.length; from += openMax) {
    const asked = and(inArray(runs.id, ids.slice(from, from + openMax)), isNull(runs.finishedAt));
    for (const { id } of await db.orm.select({ id: runs.id }).from(runs).where(asked)) open.add(id);
  }
  return open;
}
