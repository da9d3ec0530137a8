import { canonicalJson } from '../../domain/canonical-json.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import { describePartitions, type Partition } from '../../domain/partition.js';
import type { RunOutcome } from '../../domain/training/run.js';
import { buildManifest } from '../../domain/data/snapshot/snapshot-manifest.js';
import { describeNewData, hasSameRows } from '../../domain/data/snapshot/new-data.js';
import { describeSample, type RowSample } from '../../domain/data/snapshot/row-sample.js';
import { describeSplit, splitIn } from '../../domain/data/split-policy.js';
import { foldsOf } from '../../domain/data/snapshot/folds.js';
import { snapshotDigest, type PartitionFile, type SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import { recordSnapshot } from '../../db/data/partition-queries.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { finishRunStep, startRunStep, updateRun, type StepClaim } from '../../db/training/run-queries.js';
import { versionTrainedAlike } from '../../db/model/version-queries.js';
import { trainerPrograms } from '../training/trainer-programs.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { retryWhileChanging } from './retry-while-changing.js';
import { writeOrder } from '../write-order.js';
import { planSnapshot, type SnapshotPlan, type SnapshotRequest } from './snapshot-plan.js';
import { divideSnapshot } from './divide-snapshot.js';
import { sampleSnapshot } from './sample-snapshot.js';
import { snapshotFiles } from './snapshot-files.js';

export type SnapshotResult =
  | { outcome: 'unchanged'; reason: string; version: number; watermark: Partition | null }
  | { outcome: 'taken'; snapshotSha256: string; watermark: Partition | null; summary: string; folds?: number[] }
  | { outcome: Extract<RunOutcome, 'no-new-data' | 'data-missing' | 'quarantined'>; reason: string };

/**
 * Snapshots: what arrived, validated, shaped and frozen. Files and manifests are named by their digests, so that
 * repeating makes the same ones.
 */
export function createSnapshotActivities(deps: ActivityDependencies) {
  const { db } = deps;
  return {
    async takeSnapshot(asked: SnapshotRequest): Promise<SnapshotResult> {
      return withHeartbeat(async (signal, report) => {
        const claim = await startRunStep(db, { runId: asked.runId, step: 'snapshot', writeOrder: writeOrder() });
        const definition = await definitionByDigest(db, asked.definitionSha256);
        return retryWhileChanging(signal, report, () => take(asked, { claim, definition }, signal, report));
      });
    },
  };

  async function take(
    asked: SnapshotRequest,
    { claim, definition }: { claim: StepClaim; definition: ModelDefinition },
    signal: AbortSignal,
    report: (progress: string) => void,
  ): Promise<SnapshotResult> {
    const planned = await planSnapshot(deps, asked, definition, report);
    const { notRead } = planned;
    const end = async (outcome: 'no-new-data' | 'data-missing', reason: string): Promise<SnapshotResult> => {
      await finishRunStep(db, claim, reason + notRead);
      return { outcome, reason: reason + notRead };
    };
    if (planned.kind !== 'planned') return end(planned.kind, planned.reason);
    const { plan } = planned;
    const { last, changed } = plan;
    const validated = await snapshotFiles(deps, asked, { plan, definition }, signal, report);
    if ('quarantined' in validated) {
      await finishRunStep(db, claim, validated.quarantined);
      return { outcome: 'quarantined', reason: validated.quarantined };
    }
    const order = asked.sample ?? null;
    const { files, sample } = await sampleSnapshot(deps, { definition, order, files: validated.files }, signal, report);
    const why = last && asked.until === null ? describeNewData(last, plan.partitions, changed) : '';
    const divided = await divideSnapshot(deps, { definition, split: splitIn(definition.data), files }, signal, report);
    if ('impossible' in divided) return end('data-missing', divided.impossible);
    const empty = whySideIsEmpty(divided, sample);
    if (empty !== null) return end('data-missing', empty);
    if (last && asked.until === null && hasSameRows(last, divided)) {
      return end(
        'no-new-data',
        why === ''
          ? `No row has matured since run ${last.runId}.`
          : `Files were put again, but the rows are the same as in run ${last.runId}: ${why}.`,
      );
    }
    const { manifest, snapshotSha256 } = await freeze(deps, asked, { claim, definition }, { ...divided, sample });
    const watermarkAfter = asked.until === null && order === null ? manifest.watermark : null;
    const before =
      asked.force === true
        ? undefined
        : await versionMadeAlike(deps, definition, asked.definitionSha256, snapshotSha256);
    if (before) {
      const reason =
        `${asked.model}@${before.version} was trained on the same data with the same definition ` +
        `and trainer (run ${before.runId}). Promote it, or train again with --force.`;
      await finishRunStep(db, claim, reason);
      return { outcome: 'unchanged', reason, version: before.version, watermark: watermarkAfter };
    }
    const summary =
      `snapshot ${snapshotSha256.slice(0, 12)}${sample ? `, ${describeSample(sample)}` : ''}: ` +
      `${describeSides(manifest, plan)}` +
      `${why && `. New: ${why}`}${notRead && `.${notRead}`}`;
    await finishRunStep(db, claim, summary);
    const folds = foldsOf(manifest).map(({ number }) => number);
    return {
      ...{ outcome: 'taken', snapshotSha256, watermark: watermarkAfter, summary },
      ...(folds.length > 0 && { folds }),
    };
  }
}

export type SnapshotActivities = ReturnType<typeof createSnapshotActivities>;

/** A sample may have no row of a small partition. */
function whySideIsEmpty(
  { train, holdout }: { train: PartitionFile[]; holdout: PartitionFile[] },
  sample: RowSample | undefined,
): string | null {
  if (sample === undefined) return null;
  for (const [side, files] of [
    ['training', train],
    ['the holdout', holdout],
  ] as const)
    if (files.every(({ rows }) => rows === 0))
      return `${describeSample(sample)} has no row for ${side}: raise its rows in perdure.config.ts.`;
  return null;
}

/** What trains and what tests, in words. */
function describeSides({ split, trainedOn, testedOn }: SnapshotManifest, { train, holdout }: SnapshotPlan): string {
  if (split === undefined || split.kind === 'last')
    return (
      `trains on ${describePartitions(train)} (${trainedOn.rows} rows), ` +
      `tests on ${describePartitions(holdout)} (${testedOn.rows} rows)`
    );
  const rows =
    split.kind === 'folds'
      ? `${trainedOn.rows} rows, ${testedOn.rows} of them tested by a model that has not seen them`
      : `trains on ${trainedOn.rows} rows, tests on ${testedOn.rows}`;
  return `${describePartitions(train)} with ${describeSplit(split)}: ${rows}`;
}

/** Writes the manifest and records the snapshot, under the digest of what is in it. */
async function freeze(
  { db, store }: ActivityDependencies,
  { model }: SnapshotRequest,
  { claim, definition }: { claim: StepClaim; definition: ModelDefinition },
  sides: { train: PartitionFile[]; holdout: PartitionFile[]; sample: RowSample | undefined },
) {
  const manifest = buildManifest({ definition, ...sides });
  const snapshotSha256 = snapshotDigest(manifest);
  const manifestKey = objectKeys.snapshotManifest(model, snapshotSha256);
  await store.putImmutable(manifestKey, canonicalJson(manifest), { contentType: 'application/json' });
  await recordSnapshot(db, { sha256: snapshotSha256, model, manifestKey, manifest });
  await updateRun(db, claim, { snapshotSha256 });
  return { manifest, snapshotSha256 };
}

/** A trainer of other libraries may give other bytes: then it is no repetition. */
async function versionMadeAlike(
  deps: ActivityDependencies,
  definition: ModelDefinition,
  definitionSha256: string,
  snapshotSha256: string,
) {
  const environmentSha256 = await trainerPrograms(deps).environmentSha256(definition.training);
  return versionTrainedAlike(deps.db, { model: definition.name, definitionSha256, snapshotSha256, environmentSha256 });
}
