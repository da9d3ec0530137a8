import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import type { Cause } from '../../domain/cause.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import type { Database } from '../connect.js';
import { definitionInForce } from './definition-queries.js';
import { newestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import { versionOf, type VersionRecord } from './version-queries.js';
import { definitions, runs, snapshots, versionArchivals, versions } from '../schema/index.js';
import { classThreshold } from '../serving/class-threshold.js';

type Windows = { [Window in 'trainedOn' | 'testedOn']: SnapshotManifest[Window] | null };

export interface VersionListRow
  extends Pick<VersionRecord, 'model' | 'version' | 'runId' | 'createdAt' | 'metrics' | 'artifactSha256'>, Windows {
  cause: Cause;
}

export interface VersionWithOrigin extends VersionRecord, Windows {
  cause: Cause;
}

const order = newestFirst(versions.version);

/** Of a manifest, which also names every file and column of the snapshot, what lists show. */
const windows = {
  trainedOn: sql<SnapshotManifest['trainedOn'] | null>`${snapshots.manifest} -> 'trainedOn'`,
  testedOn: sql<SnapshotManifest['testedOn'] | null>`${snapshots.manifest} -> 'testedOn'`,
};

export interface VersionFilter {
  /** Without those that are put away. */
  unarchived?: boolean | undefined;
}

/** A model's versions, the newest first, with the cause and data of their runs. */
export async function listVersions(
  db: Database,
  model: string,
  { unarchived = false, limit, after }: VersionFilter & PageRequest,
): Promise<Page<VersionListRow>> {
  const { version, runId, createdAt, metrics, artifactSha256 } = versions;
  const wanted = and(eq(versions.model, model), unarchived ? notArchived : undefined);
  const rows = await db.orm
    .select({
      ...{ model: versions.model, version, runId, createdAt, metrics, artifactSha256, cause: runs.cause },
      ...{ ...windows, key: order.key },
    })
    .from(versions)
    .innerJoin(runs, eq(runs.id, versions.runId))
    .leftJoin(snapshots, eq(snapshots.sha256, versions.snapshotSha256))
    .where(within(wanted, order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}

/** The newest act on a version says whether it is put away. */
const notArchived = sql`not coalesce((select archivals.archived from ${versionArchivals} archivals
  where archivals.model = ${versions.model} and archivals.version = ${versions.version}
  order by archivals.id desc limit 1), false)`;

/**
 * One version, with the cause and data of its run.
 * @throws PerdureError `not-found` that says which there are, `model/unknown`.
 */
export async function versionWithOrigin(db: Database, model: string, version: number): Promise<VersionWithOrigin> {
  const [row] = await db.orm
    .select({ ...getTableColumns(versions), threshold: classThreshold, cause: runs.cause, ...windows })
    .from(versions)
    .innerJoin(runs, eq(runs.id, versions.runId))
    .leftJoin(definitions, eq(definitions.sha256, versions.definitionSha256))
    .leftJoin(snapshots, eq(snapshots.sha256, versions.snapshotSha256))
    .where(and(eq(versions.model, model), eq(versions.version, version)));
  if (row) return row;
  if ((await newestVersion(db, model)) === undefined) await definitionInForce(db, model);
  await versionOf(db, model, version);
  throw new Error(`${model}@${version} is registered and has no run`);
}

/** The number of a model's newest version; undefined before there is one. */
export async function newestVersion(db: Database, model: string): Promise<number | undefined> {
  const [row] = await db.orm
    .select({ version: versions.version })
    .from(versions)
    .where(eq(versions.model, model))
    .orderBy(desc(versions.version))
    .limit(1);
  return row?.version;
}
