import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { Metrics } from '../../domain/metrics/measured.js';
import type { GateResult } from '../../domain/evaluation/gate-result.js';
import type { Lineage, TensorInterface } from '../../domain/model/model-version.js';
import type { Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import { definitions, models, runs, runSteps, versions } from '../schema/index.js';
import { classThreshold } from '../serving/class-threshold.js';
import { endRun } from '../training/run-queries.js';

/** A registered version; its threshold is that by which it is served, see `classThreshold`. */
export type VersionRecord = Omit<typeof versions.$inferSelect, 'threshold'> & { threshold: number };

export interface NewVersion {
  model: string;
  runId: string;
  definitionSha256: string;
  snapshotSha256: string;
  artifactSha256: string;
  artifactKey: string;
  signature: TensorInterface;
  metrics: Metrics;
  gates: GateResult[];
  evaluationKey: string;
  threshold: number | null;
  lineage: Lineage;
  /** The last partition used, where the result moves the watermark. */
  watermark: Partition | null;
}

/**
 * Gives a run's model the next version number and ends the run, in one transaction. A repeated call returns the version
 * given before.
 * @throws PerdureError `state/conflict` when the run has ended otherwise: nothing is registered.
 */
export async function registerVersion(
  db: Database,
  { watermark, ...version }: NewVersion,
): Promise<typeof versions.$inferSelect> {
  return db.orm.transaction(async (tx) => {
    await tx.select().from(models).where(eq(models.name, version.model)).for('update');
    const [before] = await tx.select().from(versions).where(eq(versions.runId, version.runId));
    if (before) return before;
    const [run] = await tx.select({ outcome: runs.outcome }).from(runs).where(eq(runs.id, version.runId)).for('update');
    if (run && run.outcome !== null)
      throw new PerdureError(
        'state/conflict',
        `run ${version.runId} has already ended: ${run.outcome}. It registers nothing any more.`,
        {
          runId: version.runId,
        },
      );
    const [row] = await tx
      .insert(versions)
      .values({
        ...version,
        version: sql`(select coalesce(max(version), 0) + 1 from versions where model = ${version.model})`,
      })
      .returning();
    if (!row) throw new Error('an insert returned no row');
    const registered = { finishedAt: sql`now()`, summary: `${row.model}@${row.version}` };
    await tx
      .insert(runSteps)
      .values({ runId: version.runId, step: 'register', ...registered })
      .onConflictDoUpdate({ target: [runSteps.runId, runSteps.step], set: registered });
    await endRun(tx, {
      runId: version.runId,
      outcome: 'registered',
      reason: `registered as version ${row.version}`,
      watermark,
    });
    return row;
  });
}

/** The newest version that the same definition, data and trainer made; undefined when there is none. */
export async function versionTrainedAlike(
  db: Database,
  inputs: { model: string; definitionSha256: string; snapshotSha256: string; environmentSha256: string },
): Promise<{ version: number; runId: string } | undefined> {
  const [row] = await db.orm
    .select({ version: versions.version, runId: versions.runId })
    .from(versions)
    .where(
      and(
        eq(versions.model, inputs.model),
        eq(versions.definitionSha256, inputs.definitionSha256),
        eq(versions.snapshotSha256, inputs.snapshotSha256),
        sql`${versions.lineage} ->> 'environmentSha256' = ${inputs.environmentSha256}`,
      ),
    )
    .orderBy(desc(versions.version))
    .limit(1);
  return row;
}

/** Of what there is in place of a version that there is not: so many. */
const namedMax = 20;

/** @throws PerdureError `not-found` that says which versions there are. */
export async function versionOf(db: Database, model: string, version: number): Promise<VersionRecord> {
  const [found] = await db.orm
    .select({ ...getTableColumns(versions), threshold: classThreshold })
    .from(versions)
    .leftJoin(definitions, eq(definitions.sha256, versions.definitionSha256))
    .where(and(eq(versions.model, model), eq(versions.version, version)));
  if (found) return found;
  const newest = await db.orm
    .select({ version: versions.version })
    .from(versions)
    .where(eq(versions.model, model))
    .orderBy(desc(versions.version))
    .limit(namedMax + 1);
  const named = newest.slice(0, namedMax).map((row) => row.version);
  const there = [...(newest.length > namedMax ? ['…'] : []), ...named.toReversed()].join(', ') || 'none yet';
  throw new PerdureError('not-found', `version: ${model} has no version ${version}. Versions: ${there}.`, {
    model,
    version,
  });
}
