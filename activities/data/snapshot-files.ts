import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import { partitionRecord, type PartitionRecord } from '../../db/data/partition-queries.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { validatePartition } from './validate-partition.js';
import { shapingEngines } from './shaping-engine.js';
import type { SnapshotPlan, SnapshotRequest } from './snapshot-plan.js';

/**
 * The shaped files of a plan's partitions, each validated with those before it; or why one is in quarantine. What was
 * validated before is not validated again.
 */
export async function snapshotFiles(
  deps: ActivityDependencies,
  asked: SnapshotRequest,
  { plan, definition }: { plan: SnapshotPlan; definition: ModelDefinition },
  signal: AbortSignal,
  report: (progress: string) => void,
): Promise<{ files: PartitionFile[] } | { quarantined: string }> {
  const { db } = deps;
  const { lake, inputs } = plan;
  const own = (await definitionInForce(db, asked.model)).sha256 !== asked.definitionSha256;
  const files: PartitionFile[] = [];
  const earlier: PartitionRecord[] = [];
  const engines = shapingEngines(signal);
  try {
    for (const partition of plan.partitions) {
      const content = lake.find((one) => one.partition === partition);
      const inputsSha256 = inputs.get(partition);
      if (!content || !inputsSha256) throw new Error(`the plan names ${partition}, which is not in the lake`);
      report(`validating ${partition}`);
      const known = await partitionRecord(db, asked.model, partition, inputsSha256);
      const record =
        known ??
        (await validatePartition(
          deps,
          { definition, content, inputsSha256, earlier, own, engine: engines.next() },
          signal,
          report,
        ));
      if (record.state === 'quarantined') {
        return { quarantined: quarantineText(record, known !== undefined || !own) };
      }
      files.push(fileOf(record, inputsSha256));
      earlier.push(record);
    }
    return { files };
  } finally {
    engines.end();
  }
}

function quarantineText({ partition, summary, reportKey }: PartitionRecord, marked: boolean): string {
  if (!marked)
    return (
      `${partition} does not pass validation in this run, whose definition has overrides ` +
      `: ${summary} Report: ${reportKey}. The partition is not marked; other runs validate it themselves.`
    );
  return (
    `${partition} is in quarantine: ${summary} Report: ${reportKey}. Put a corrected file, or decide ` +
    `with \`perdure quarantine release|discard\`.`
  );
}

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
