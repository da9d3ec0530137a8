import { and, eq, getTableColumns, lt, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import type { Database } from '../connect.js';
import { newestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import { runs, runSteps, snapshots, versions } from '../schema/index.js';

type RunRow = typeof runs.$inferSelect;
export type RunStepRow = typeof runSteps.$inferSelect;

export interface RunListRow extends Pick<
  RunRow,
  | 'id'
  | 'workflowId'
  | 'model'
  | 'cause'
  | 'until'
  | 'environment'
  | 'sample'
  | 'priority'
  | 'startedAt'
  | 'finishedAt'
  | 'outcome'
  | 'reason'
  | 'metrics'
> {
  /** The version that the run registered. */
  version: number | null;
  /** The step under way, or the last one taken. */
  step: string | null;
}

export interface RunWithVersion extends RunRow {
  /** The version that the run registered. */
  version: number | null;
  steps: RunStepRow[];
}

export interface RunFilter extends PageRequest {
  model?: string | undefined;
  /** Only runs that started before this time. */
  before?: Date | undefined;
}

const order = newestFirst(runs.startedAt, runs.id);

/** Runs, the newest first. */
export async function listRuns(db: Database, { model, before, limit, after }: RunFilter): Promise<Page<RunListRow>> {
  const {
    id,
    workflowId,
    cause,
    until,
    environment,
    sample,
    priority,
    startedAt,
    finishedAt,
    outcome,
    reason,
    metrics,
  } = runs;
  const wanted = and(model === undefined ? undefined : eq(runs.model, model), before && lt(startedAt, before));
  const rows = await db.orm
    .select({
      ...{ id, workflowId, model: runs.model, cause, until, priority, startedAt, finishedAt, outcome, reason, metrics },
      ...{ environment, sample, version: versions.version, step: lastStep, key: order.key },
    })
    .from(runs)
    .leftJoin(versions, eq(versions.runId, runs.id))
    .where(within(wanted, order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}

/** Of steps that started together, the one that goes on. */
const lastStep = sql<string | null>`(select step from ${runSteps} steps where steps.run_id = ${runs.id}
  order by steps.started_at desc, steps.finished_at desc nulls first limit 1)`;

/** One run, with the manifest of its snapshot where it has one. @throws PerdureError `not-found`. */
export async function runWithSnapshot(
  db: Database,
  id: string,
): Promise<RunWithVersion & { manifest: SnapshotManifest | null }> {
  const [row] = await db.orm
    .select({ ...getTableColumns(runs), version: versions.version, manifest: snapshots.manifest })
    .from(runs)
    .leftJoin(versions, eq(versions.runId, runs.id))
    .leftJoin(snapshots, eq(snapshots.sha256, runs.snapshotSha256))
    .where(eq(runs.id, id));
  if (!row) throw new PerdureError('not-found', `No run has the id ${id}. \`perdure runs ls\` lists them.`, { id });
  return { ...row, steps: await stepsOf(db, id) };
}

async function stepsOf(db: Database, runId: string): Promise<RunStepRow[]> {
  return db.orm
    .select()
    .from(runSteps)
    .where(eq(runSteps.runId, runId))
    .orderBy(runSteps.startedAt, sql`${runSteps.finishedAt} nulls last`);
}
