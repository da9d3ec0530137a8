import { validateAndShapePartition } from '../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { trainerEnvironmentDigest, trainerFor } from '../../adapters/trainer/trainer.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import { describeStrays } from '../../domain/data/lake/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import { describePartitions, type Partition } from '../../domain/partition.js';
import type { RunOutcome } from '../../domain/training/run.js';
import { buildManifest } from '../../domain/data/snapshot/snapshot-manifest.js';
import { changedPartitions, describeNewData, hasSameRows } from '../../domain/data/snapshot/new-data.js';
import { shapeDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import { planWindow } from '../../domain/data/snapshot/snapshot-window.js';
import { snapshotDigest, type PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import {
  partitionRecord,
  recordPartition,
  recordSnapshot,
  recordsOfInputs,
  type NewPartitionRecord,
  type PartitionRecord,
} from '../../db/data/data-queries.js';
import { definitionByDigest, definitionInForce } from '../../db/model/definition-queries.js';
import { finishRunStep, lastResultOf, startRunStep, updateRun, type StepClaim } from '../../db/training/run-queries.js';
import { versionTrainedAlike } from '../../db/model/version-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { retryWhileChanging } from './retry-while-changing.js';
import { readLake, type LakePartition } from './lake.js';
import { createShapingEngine, memoryLimitMb } from './shaping-engine.js';
import { writeOrder } from '../write-order.js';

export type SnapshotResult =
  | { outcome: 'unchanged'; reason: string; version: number; watermark: Partition | null }
  | { outcome: 'taken'; snapshotSha256: string; watermark: Partition | null; summary: string }
  | { outcome: Extract<RunOutcome, 'no-new-data' | 'data-missing' | 'quarantined'>; reason: string };

interface SnapshotRequest {
  runId: string;
  model: string;
  definitionSha256: string;
  until: Partition | null;
  ignoreWatermark: boolean;
  /** Train although the same inputs made a version before. Absent in runs of version 0.1.0. */
  force?: boolean;
}

/**
 * Snapshots: what arrived, validated, shaped and frozen. Files and manifests are named by their digests, so that
 * repeating makes the same ones.
 */
export function createSnapshotActivities(deps: ActivityDependencies) {
  const { db, store, config } = deps;
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
    report('listing what arrived');
    const { partitions: lake, strays, broken } = await readLake(deps, definition, report);
    const notRead = describeStrays([...broken, ...strays]);
    const inputs = new Map(lake.map((one) => [one.partition, one.inputsSha256]));
    const states = await recordsOfInputs(db, asked.model, [...inputs.values()]);
    const last =
      asked.ignoreWatermark || asked.force === true
        ? undefined
        : await lastResultOf(db, asked.model, asked.definitionSha256);
    const changed = last ? changedPartitions(last, shapeDigest(definition), lake) : [];
    const plan = planWindow({
      window: definition.data.window,
      holdoutPartitions: definition.data.holdoutPartitions,
      // A month that cannot be read as its manifest says has arrived all the same: it is refused, and not passed over.
      available: [...new Set([...lake, ...broken].flatMap(({ partition }) => partition ?? []))],
      discarded: states
        .filter((one) => one.state === 'discarded' && inputs.get(one.partition) === one.inputsSha256)
        .map((one) => one.partition),
      until: asked.until ?? undefined,
      watermark: last?.manifest.watermark,
      changed: changed.map(({ partition }) => partition),
    });
    const end = async (outcome: 'no-new-data' | 'data-missing', reason: string): Promise<SnapshotResult> => {
      await finishRunStep(db, claim, reason + notRead);
      return { outcome, reason: reason + notRead };
    };
    if (plan.kind !== 'planned') return end(plan.kind === 'no-new-data' ? 'no-new-data' : 'data-missing', plan.message);
    const unreadable = broken.filter(({ partition }) => partition === null || plan.partitions.includes(partition));
    if (unreadable.length > 0) {
      const which = [
        ...new Set(unreadable.map(({ table, partition }) => (partition === null ? table : `${table} of ${partition}`))),
      ];
      return end('data-missing', `${which.join(', ')} is not there as it was put.`);
    }
    const own = (await definitionInForce(db, asked.model)).sha256 !== asked.definitionSha256;
    const files: PartitionFile[] = [];
    const earlier: PartitionRecord[] = [];
    for (const partition of plan.partitions) {
      const content = lake.find((one) => one.partition === partition);
      const inputsSha256 = inputs.get(partition);
      if (!content || !inputsSha256) throw new Error(`the plan names ${partition}, which is not in the lake`);
      report(`validating ${partition}`);
      const known = await partitionRecord(db, asked.model, partition, inputsSha256);
      const record = known ?? (await validate({ definition, content, inputsSha256, earlier, own }, signal, report));
      if (record.state === 'quarantined') {
        const reason = quarantineText(record, known !== undefined || !own);
        await finishRunStep(db, claim, reason);
        return { outcome: 'quarantined', reason };
      }
      files.push(fileOf(record, inputsSha256));
      earlier.push(record);
    }
    const why = last && asked.until === null ? describeNewData(last, plan.partitions, changed) : '';
    if (last && asked.until === null && hasSameRows(last, files)) {
      return end(
        'no-new-data',
        `Files were put again, but the rows are those that run ${last.runId} was given: ${why}.`,
      );
    }
    const manifest = buildManifest({
      definition,
      train: files.slice(0, plan.train.length),
      holdout: files.slice(plan.train.length),
    });
    const snapshotSha256 = snapshotDigest(manifest);
    const manifestKey = objectKeys.snapshotManifest(asked.model, snapshotSha256);
    await store.putImmutable(manifestKey, canonicalJson(manifest), { contentType: 'application/json' });
    await recordSnapshot(db, { sha256: snapshotSha256, model: asked.model, manifestKey, manifest });
    await updateRun(db, claim, { snapshotSha256 });
    const watermarkAfter = asked.until === null ? manifest.watermark : null;
    const before =
      asked.force === true ? undefined : await versionMadeAlike(definition, asked.definitionSha256, snapshotSha256);
    if (before) {
      const reason =
        `${asked.model}@${before.version} was trained on the same data by the same definition ` +
        `and trainer (run ${before.runId}). Promote it, or train again with --force.`;
      await finishRunStep(db, claim, reason);
      return { outcome: 'unchanged', reason, version: before.version, watermark: watermarkAfter };
    }
    const summary =
      `snapshot ${snapshotSha256.slice(0, 12)}: trains on ${describePartitions(plan.train)} ` +
      `(${manifest.trainedOn.rows} rows), tests on ${plan.holdout.join(', ')} (${manifest.testedOn.rows} ` +
      `rows)${why && `. New: ${why}`}${notRead && `.${notRead}`}`;
    await finishRunStep(db, claim, summary);
    return { outcome: 'taken', snapshotSha256, watermark: watermarkAfter, summary };
  }

  /** A trainer of other libraries may give other bytes: then it is no repetition. */
  async function versionMadeAlike(definition: ModelDefinition, definitionSha256: string, snapshotSha256: string) {
    const environmentSha256 = await trainerEnvironmentDigest(
      trainerFor(definition.training.algorithm, config.projectRoot),
    );
    return versionTrainedAlike(db, { model: definition.name, definitionSha256, snapshotSha256, environmentSha256 });
  }

  /**
   * A run by a definition of its own judges a month for itself alone: its window and with it what it compares the month
   * with may be another.
   */
  async function validate(
    { definition, content, inputsSha256, earlier, own }: Validation,
    signal: AbortSignal,
    report: (progress: string) => void,
  ): Promise<PartitionRecord> {
    const { name: model } = definition;
    const { partition } = content;
    const workDir = await makeWorkFolder(config.home, 'snapshot');
    const engine = createShapingEngine(signal);
    try {
      const { files, names } = await content.download(workDir);
      const shaped = await validateAndShapePartition({
        definition,
        partition,
        tableFiles: files,
        fileNames: names,
        workDir,
        previous: earlier.map((one) => ({
          partition: one.partition,
          rows: one.rows,
          positives: one.positives,
          profile: one.profile ?? [],
        })),
        signal,
        memoryLimitMb,
        openSession: engine.open,
        onProgress: (progress) => report(`validating ${partition}: ${progress.what}`),
      });
      const reportText = canonicalJson(shaped.report);
      const reportKey = objectKeys.validationReport(model, partition, digestOf(shaped.report));
      await store.putImmutable(reportKey, reportText, { contentType: 'application/json' });
      const fileKey = shaped.file ? objectKeys.snapshotFile(model, shaped.file.sha256) : null;
      if (shaped.file && fileKey) await store.putImmutable(fileKey, { file: shaped.file.path });
      const valid = shaped.report.outcome === 'valid';
      const record: NewPartitionRecord = {
        model,
        partition,
        inputsSha256,
        state: valid ? 'valid' : 'quarantined',
        reportKey,
        summary: valid
          ? `${shaped.report.rows} rows`
          : shaped.report.issues
              .slice(0, 3)
              .map((issue) => issue.message)
              .join(' '),
        fileKey,
        fileSha256: shaped.file?.sha256 ?? null,
        bytes: shaped.file?.bytes ?? null,
        rows: shaped.file?.rows ?? shaped.report.rows,
        positives: shaped.file?.positives ?? 0,
        profile: shaped.profile ?? null,
      };
      return own ? unrecorded(record) : await recordPartition(db, record);
    } finally {
      engine.end();
      await removeWorkFolder(workDir);
    }
  }
}

interface Validation {
  definition: ModelDefinition;
  content: LakePartition;
  inputsSha256: string;
  earlier: PartitionRecord[];
  /** Whether the definition is this run's alone. */
  own: boolean;
}

function unrecorded(record: NewPartitionRecord): PartitionRecord {
  const { fileKey = null, fileSha256 = null, bytes = null, profile = null } = record;
  return {
    ...record,
    fileKey,
    fileSha256,
    bytes,
    profile,
    validatedAt: new Date(),
    decidedBy: null,
    decidedAt: null,
    comment: null,
  };
}

function quarantineText({ partition, summary, reportKey }: PartitionRecord, marked: boolean): string {
  if (!marked)
    return (
      `${partition} does not pass validation in this run, whose definition was changed for itself ` +
      `alone: ${summary} Report: ${reportKey}. The month is not marked; other runs judge it themselves.`
    );
  return (
    `${partition} is in quarantine: ${summary} Report: ${reportKey}. Put a corrected file, or decide ` +
    `with \`perdure quarantine release|discard\`.`
  );
}

export type SnapshotActivities = ReturnType<typeof createSnapshotActivities>;

function fileOf(record: PartitionRecord, inputsSha256: string): PartitionFile {
  if (record.fileKey === null || record.fileSha256 === null || record.bytes === null)
    throw new Error(`${record.partition} has no file though it is ${record.state}`);
  return {
    partition: record.partition,
    key: record.fileKey,
    sha256: record.fileSha256,
    bytes: record.bytes,
    rows: record.rows,
    positives: record.positives,
    inputsSha256,
  };
}
