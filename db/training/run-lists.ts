import { and, desc, eq, getTableColumns, inArray, lt, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { SnapshotManifest } from '../../domain/data/snapshot.js';
import type { Database } from '../connect.js';
import { runs, runSteps, snapshots, versions } from '../schema/index.js';

type RunRow = typeof runs.$inferSelect;
export type RunStepRow = typeof runSteps.$inferSelect;

export interface RunWithVersion extends RunRow {
  /** The version that the run registered. */
  version: number | null;
  steps: RunStepRow[];
}

export interface RunFilter {
  model?: string | undefined;
  /** Only runs that started before this time. */
  before?: Date | undefined;
  limit: number;
}

/** Runs with their steps, the newest first. */
export async function listRuns(db: Database, { model, before, limit }: RunFilter): Promise<RunWithVersion[]> {
  const rows = await db.orm
    .select({ ...getTableColumns(runs), version: versions.version })
    .from(runs)
    .leftJoin(versions, eq(versions.runId, runs.id))
    .where(and(model === undefined ? undefined : eq(runs.model, model), before && lt(runs.startedAt, before)))
    .orderBy(desc(runs.startedAt), runs.id)
    .limit(limit);
  const steps = await stepsOf(
    db,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ ...row, steps: steps.filter((step) => step.runId === row.id) }));
}

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
  return { ...row, steps: await stepsOf(db, [id]) };
}

async function stepsOf(db: Database, runIds: string[]): Promise<RunStepRow[]> {
  if (runIds.length === 0) return [];
  return db.orm
    .select()
    .from(runSteps)
    .where(inArray(runSteps.runId, runIds))
    .orderBy(runSteps.startedAt, sql`${runSteps.finishedAt} nulls last`);
}
