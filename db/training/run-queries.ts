import { and, desc, eq, exists, isNull, lte, sql } from 'drizzle-orm';
import type { Cause } from '../../domain/cause.js';
import { PerdureError } from '../../domain/errors.js';
import type { Metrics } from '../../domain/metrics/measured.js';
import type { GateResult } from '../../domain/evaluation/gate-result.js';
import type { LastResult } from '../../domain/data/snapshot/new-data.js';
import type { Partition } from '../../domain/partition.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import type { Environment } from '../../domain/names.js';
import { storableText } from '../../domain/text/plain-text.js';
import type { RunOutcome, RunStep } from '../../domain/training/run.js';
import type { Database } from '../connect.js';
import { runs, runSteps, snapshots, watermarks } from '../schema/index.js';

export type RunRecord = typeof runs.$inferSelect;
type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0];

/** Records that a run began; once per run id. */
export async function openRun(
  db: Database,
  run: {
    id: string;
    workflowId: string;
    model: string;
    definitionSha256: string;
    cause: Cause;
    until: Partition | null;
    priority?: number;
    scheduledFor?: Date | null;
    environment?: Environment;
    sample?: SampleOrder | null;
  },
): Promise<void> {
  await db.orm.insert(runs).values(run).onConflictDoNothing();
}

/** @throws PerdureError `not-found`. */
export async function runById(db: Database, id: string): Promise<RunRecord> {
  const [row] = await db.orm.select().from(runs).where(eq(runs.id, id));
  if (!row) throw new PerdureError('not-found', `No run has the id ${id}. \`perdure runs ls\` lists them.`, { id });
  return row;
}

/**
 * Runs that came to a result on the newest data there was: those with `until` were told how far to look, and a sample
 * is not all there was. As the index has it.
 */
const isResult = sql`${runs.outcome} in ('registered', 'gate-not-passed', 'unchanged') and ${runs.until} is null
  and ${runs.sample} is null and coalesce(${runs.cause} ->> 'id', '') not like 'import-%'`;

/** The last training of this definition that came to a result on the newest data there was (an import trains nothing), and what it was given. */
export async function lastResultOf(
  db: Database,
  model: string,
  definitionSha256: string,
): Promise<LastResult | undefined> {
  const [row] = await db.orm
    .select({ runId: runs.id, startedAt: runs.startedAt, manifest: snapshots.manifest })
    .from(runs)
    .innerJoin(snapshots, eq(snapshots.sha256, runs.snapshotSha256))
    .where(and(eq(runs.model, model), eq(runs.definitionSha256, definitionSha256), isResult))
    .orderBy(desc(runs.startedAt))
    .limit(1);
  return row;
}

/**
 * An attempt of a run's step that has it: what it writes counts until a later attempt has begun, or the run has ended.
 */
export interface StepClaim {
  runId: string;
  step: RunStep;
  writeOrder: number;
}

/** @throws PerdureError `lease/lost` when a later attempt has the step, or the run has ended. */
export async function startRunStep(db: Database, claim: StepClaim): Promise<StepClaim> {
  const begun = await db.orm.transaction(async (tx) => {
    const [run] = await tx
      .select({ id: runs.id })
      .from(runs)
      .where(and(eq(runs.id, claim.runId), isNull(runs.finishedAt)))
      .for('share');
    if (!run) return [];
    return tx
      .insert(runSteps)
      .values(claim)
      .onConflictDoUpdate({
        target: [runSteps.runId, runSteps.step],
        set: { writeOrder: claim.writeOrder },
        setWhere: lte(runSteps.writeOrder, claim.writeOrder),
      })
      .returning({ step: runSteps.step });
  });
  if (begun.length === 0) throw await stepLost(db, claim);
  return claim;
}

/** @throws PerdureError `lease/lost` as `startRunStep`. */
export async function finishRunStep(db: Database, claim: StepClaim, summary: string): Promise<void> {
  const finished = await db.orm
    .update(runSteps)
    .set({ finishedAt: sql`coalesce(finished_at, now())`, summary: storableText(summary) })
    .where(and(isClaimed(claim), exists(openRunOf(db, claim.runId))))
    .returning({ step: runSteps.step });
  if (finished.length === 0) throw await stepLost(db, claim);
}

/** Adds what a step made to the run's row. @throws PerdureError `lease/lost` as `startRunStep`. */
export async function updateRun(
  db: Database,
  claim: StepClaim,
  made: Partial<{
    snapshotSha256: string;
    artifactSha256: string;
    evaluationKey: string;
    metrics: Metrics;
    gates: GateResult[];
  }>,
): Promise<void> {
  const changed = await db.orm
    .update(runs)
    .set(made)
    .where(and(eq(runs.id, claim.runId), isNull(runs.finishedAt), exists(claimOf(db, claim))))
    .returning({ id: runs.id });
  if (changed.length === 0) throw await stepLost(db, claim);
}

/**
 * Asked before a step writes bytes that are not named by their digest.
 * @throws PerdureError `lease/lost` as `startRunStep`.
 */
export async function mustHaveStep(db: Database, claim: StepClaim): Promise<void> {
  const held = exists(openRunOf(db, claim.runId));
  const [row] = await db.orm
    .select({ step: runSteps.step })
    .from(runSteps)
    .where(and(isClaimed(claim), held));
  if (!row) throw await stepLost(db, claim);
}

const isClaimed = ({ runId, step, writeOrder }: StepClaim) =>
  and(eq(runSteps.runId, runId), eq(runSteps.step, step), eq(runSteps.writeOrder, writeOrder));

const claimOf = (db: Database, claim: StepClaim) =>
  db.orm.select({ step: runSteps.step }).from(runSteps).where(isClaimed(claim));

const openRunOf = (db: Database, runId: string) =>
  db.orm
    .select({ id: runs.id })
    .from(runs)
    .where(and(eq(runs.id, runId), isNull(runs.finishedAt)));

async function stepLost(db: Database, { runId, step }: StepClaim): Promise<PerdureError> {
  const { outcome } = await runById(db, runId);
  const why = outcome === null ? `another attempt of its step ${step} is running` : `it has already ended: ${outcome}`;
  return new PerdureError('lease/lost', `run ${runId}: ${why}. This attempt came too late, and nothing was changed.`, {
    runId,
    step,
  });
}

export interface RunEnd {
  runId: string;
  outcome: RunOutcome;
  reason: string;
  /** The last partition used, where the result moves the watermark. */
  watermark: Partition | null;
}

/** The first end stands. A watermark only rises, and in the transaction of the result that it stands for. */
export async function endRun(tx: Transaction, { runId, outcome, reason: said, watermark }: RunEnd): Promise<void> {
  // It may quote data, and what it quotes must not keep the run from ending.
  const reason = storableText(said);
  const [row] = await tx
    .update(runs)
    .set({ outcome, reason, finishedAt: sql`now()` })
    .where(and(eq(runs.id, runId), isNull(runs.finishedAt)))
    .returning({ model: runs.model });
  if (!row) return;
  await tx
    .update(runSteps)
    .set({ finishedAt: sql`now()`, summary: `not finished: ${reason}`.slice(0, 1000) })
    .where(and(eq(runSteps.runId, runId), isNull(runSteps.finishedAt)));
  if (watermark === null) return;
  await tx
    .insert(watermarks)
    .values({ model: row.model, partition: watermark, runId })
    .onConflictDoUpdate({
      target: watermarks.model,
      set: { partition: watermark, runId, movedAt: sql`now()` },
      // Partitions of another cadence, which have another length, cannot be put in order.
      setWhere: sql`${watermarks.partition} < ${watermark} or length(${watermarks.partition}) <> length(${watermark})`,
    });
}

/** Records how a run ended, and closes the step that it was in; a second call changes nothing. */
export async function closeRun(db: Database, runEnd: RunEnd): Promise<void> {
  await db.orm.transaction((tx) => endRun(tx, runEnd));
}
