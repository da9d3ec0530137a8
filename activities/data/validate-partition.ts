import { validateAndShapePartition } from '../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import { recordPartition, type NewPartitionRecord, type PartitionRecord } from '../../db/data/partition-queries.js';
import type { ValidationReport } from '../../domain/data/validation/validation-report.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { LakePartition } from './read-lake.js';
import type { Engine } from '../../adapters/data-engine/engine.js';
import { memoryLimitMb } from './shaping-engine.js';

export interface PartitionValidation {
  definition: ModelDefinition;
  content: LakePartition;
  inputsSha256: string;
  earlier: PartitionRecord[];
  /** Whether the definition is this run's alone. */
  own: boolean;
  /** Where it is shaped. */
  engine: Engine;
}

/**
 * Validates and shapes one partition, and records what was found with its report and its rows.
 *
 * A run by a definition of its own judges a partition for itself alone: its window and with it what it compares the
 * partition with may be another.
 */
export async function validatePartition(
  { store, db, config }: Pick<ActivityDependencies, 'db' | 'store' | 'config'>,
  { definition, content, inputsSha256, earlier, own, engine }: PartitionValidation,
  signal: AbortSignal,
  report: (progress: string) => void,
): Promise<PartitionRecord> {
  const { name: model } = definition;
  const { partition } = content;
  const workDir = await makeWorkFolder(config.home, 'snapshot');
  try {
    const { files, earlier: earlierFiles, names } = await content.download(workDir);
    const shaped = await validateAndShapePartition({
      definition,
      partition,
      tableFiles: files,
      earlierFiles,
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
    const { dropped } = shaped.report;
    if (shaped.dropped && dropped) await store.putImmutable(dropped.key, { file: shaped.dropped.path });
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
      summary: summaryOf(shaped.report, shaped.file !== undefined),
      fileKey,
      fileSha256: shaped.file?.sha256 ?? null,
      bytes: shaped.file?.bytes ?? null,
      rows: shaped.file?.rows ?? shaped.report.rows,
      positives: shaped.file?.positives ?? 0,
      profile: shaped.profile ?? null,
    };
    return own ? unrecorded(record) : await recordPartition(db, record);
  } finally {
    await removeWorkFolder(workDir);
  }
}

function summaryOf({ outcome, rows, issues, dropped }: ValidationReport, releasable: boolean): string {
  if (outcome === 'valid') return dropped ? `${rows} rows, ${dropped.rows} bad ones left out` : `${rows} rows`;
  const first = issues.slice(0, 3).map((issue) => issue.message);
  const release = dropped && releasable ? [`A release leaves out ${dropped.rows} of ${dropped.of} rows.`] : [];
  return [...first, ...release].join(' ');
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
