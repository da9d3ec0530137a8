import { and, desc, eq, getTableColumns } from 'drizzle-orm';
import type { Cause } from '../../domain/cause.js';
import type { SnapshotManifest } from '../../domain/data/snapshot.js';
import type { Database } from '../connect.js';
import type { VersionRecord } from '../training/run-queries.js';
import { definitions, runs, snapshots, versions } from '../schema/index.js';
import { servedThreshold } from '../serving/served-threshold.js';

export interface VersionWithOrigin extends VersionRecord {
  cause: Cause;
  manifest: SnapshotManifest | null;
}

/** A model's versions, or the one that is named, with the cause and data of their runs; the newest first. */
export async function listVersions(db: Database, model: string, version?: number): Promise<VersionWithOrigin[]> {
  return db.orm
    .select({
      ...getTableColumns(versions),
      threshold: servedThreshold,
      cause: runs.cause,
      manifest: snapshots.manifest,
    })
    .from(versions)
    .innerJoin(runs, eq(runs.id, versions.runId))
    .leftJoin(definitions, eq(definitions.sha256, versions.definitionSha256))
    .leftJoin(snapshots, eq(snapshots.sha256, versions.snapshotSha256))
    .where(and(eq(versions.model, model), version === undefined ? undefined : eq(versions.version, version)))
    .orderBy(desc(versions.version));
}
