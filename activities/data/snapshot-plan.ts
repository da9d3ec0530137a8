import { describeStrays } from '../../domain/data/lake/lake-files.js';
import { describeImmature, isImmature } from '../../domain/data/maturity.js';
import { splitIn } from '../../domain/data/split-policy.js';
import { windowIn } from '../../domain/data/data-policy.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { wholeTable, type Partition } from '../../domain/partition.js';
import { changedPartitions } from '../../domain/data/snapshot/new-data.js';
import { earlierPartitions } from '../../domain/data/look-back.js';
import { shapeDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import { planWindow } from '../../domain/data/snapshot/snapshot-window.js';
import { recordsOfInputs } from '../../db/data/partition-queries.js';
import { lastResultOf } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { readLake, type LakePartition } from './read-lake.js';

export interface SnapshotRequest {
  runId: string;
  model: string;
  definitionSha256: string;
  until: Partition | null;
  ignoreWatermark: boolean;
  /** Train although the same inputs made a version before. Absent in runs of version 0.1.0. */
  force?: boolean;
  /** Rows of the environment that the run names; absent or null: all of them. */
  sample?: SampleOrder | null;
}

export interface SnapshotPlan {
  lake: LakePartition[];
  /** SHA-256 of the inputs of each partition. */
  inputs: Map<Partition, string>;
  train: Partition[];
  holdout: Partition[];
  partitions: Partition[];
  /** The last result of the definition, unless it is passed over. */
  last: LastResult | undefined;
  changed: ReturnType<typeof changedPartitions>;
}

type LastResult = NonNullable<Awaited<ReturnType<typeof lastResultOf>>>;

/**
 * Which of the partitions that arrived the snapshot is made of; or why there is none. `notRead` says in either case
 * which files were passed over.
 */
export async function planSnapshot(
  deps: ActivityDependencies,
  asked: SnapshotRequest,
  definition: ModelDefinition,
  report: (progress: string) => void,
): Promise<
  { notRead: string } & (
    { kind: 'planned'; plan: SnapshotPlan } | { kind: 'no-new-data' | 'data-missing'; reason: string }
  )
> {
  const { db } = deps;
  report('listing what arrived');
  const { partitions: lake, strays, broken } = await readLake(deps, definition, report);
  const { data } = definition;
  const arrived = [...new Set([...lake, ...broken].flatMap(({ partition }) => partition ?? []))].toSorted();
  const now = new Date();
  const immature = arrived.filter((partition) => isImmature(data, partition, now));
  const notRead = describeStrays([...broken, ...strays]) + describeImmature(data, immature);
  const inputs = new Map(lake.map((one) => [one.partition, one.inputsSha256]));
  const states = await recordsOfInputs(db, asked.model, [...inputs.values()]);
  const last =
    asked.ignoreWatermark || asked.force === true
      ? undefined
      : await lastResultOf(db, asked.model, asked.definitionSha256);
  const changed = last ? changedPartitions(last, shapeDigest(definition), lake) : [];
  const plan = planWindow({
    window: windowIn(data),
    split: splitIn(data),
    // One that cannot be read as its manifest says has arrived all the same: it is refused, and not passed over.
    available: arrived.filter((partition) => !immature.includes(partition)),
    immature,
    discarded: states
      .filter((one) => one.state === 'discarded' && inputs.get(one.partition) === one.inputsSha256)
      .map((one) => one.partition),
    until: asked.until ?? undefined,
    watermark: last?.manifest.watermark,
    // Rows of static data mature without a change of its files.
    changed: [...changed.map(({ partition }) => partition), ...(data.maturity ? [wholeTable] : [])],
  });
  if (plan.kind !== 'planned')
    return { kind: plan.kind === 'no-new-data' ? 'no-new-data' : 'data-missing', reason: plan.message, notRead };
  const reads = (table: string, partition: Partition) =>
    plan.partitions.some((one) => one === partition || earlierPartitions(definition, table, one).includes(partition));
  const unreadable = broken.filter(({ table, partition }) => partition === null || reads(table, partition));
  if (unreadable.length > 0) {
    const which = [
      ...new Set(unreadable.map(({ table, partition }) => (partition === null ? table : `${table} of ${partition}`))),
    ];
    return { kind: 'data-missing', reason: `${which.join(', ')} is not there as it was put.`, notRead };
  }
  const { train, holdout, partitions } = plan;
  return { kind: 'planned', plan: { lake, inputs, train, holdout, partitions, last, changed }, notRead };
}
