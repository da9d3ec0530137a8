import { belowFloor, type Floor } from '../../domain/promotion/floor.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { isImmature } from '../../domain/data/maturity.js';
import { begunPartition } from '../../domain/calendar/partition-bounds.js';
import type { Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import { whyStaysOut } from '../../domain/data/snapshot/row-sample.js';
import { snapshotByDigest } from '../data/partition-queries.js';
import type { LakeStore } from '../data/lake-content.js';
import { newestLanded } from '../data/lake-partitions.js';
import { newestPartitionRecords } from '../data/quarantine-lists.js';
import { runById, type RunRecord } from '../training/run-queries.js';

export interface FloorCandidate {
  environment: Environment;
  /** In force. */
  definition: ModelDefinition;
  runId: string;
  snapshotSha256: string;
}

/**
 * Why an environment does not take a version, as things stand now: because of the rows that trained it, or of its
 * floor. What a plan shows and what each effect asks. Null where it may.
 */
export async function whyEnvironmentRefuses(
  db: Database,
  lake: LakeStore,
  floor: Floor,
  candidate: FloorCandidate,
): Promise<string | null> {
  const run = await runById(db, candidate.runId);
  const stays = whyStaysOut(run.sample, candidate.environment);
  if (stays !== null) return stays;
  const below = belowFloor(candidate.definition, floor);
  const old = floor.newestHoldout ? await whyOldHoldout(db, lake, candidate, run) : null;
  const reasons = [...below, ...(old === null ? [] : [old])];
  return reasons.length === 0 ? null : `it is below the floor of ${candidate.environment}: ${reasons.join('; ')}`;
}

/** A run takes the newest partition by itself; only one with `until` may have been given an easier one. */
async function whyOldHoldout(
  db: Database,
  lake: LakeStore,
  { definition, snapshotSha256 }: FloorCandidate,
  { until }: Pick<RunRecord, 'until'>,
): Promise<string | null> {
  if (until === null) return null;
  const { watermark } = await snapshotByDigest(db, snapshotSha256);
  const newest = await newestMature(db, lake, definition);
  if (newest === undefined || watermark >= newest) return null;
  return `it was tested on ${watermark}, chosen with --until, but ${newest} is available: train without --until`;
}

/**
 * The newest partition of the lake that has begun and is mature, and that validation has neither set aside nor a
 * person thrown away.
 */
async function newestMature(
  db: Database,
  lake: LakeStore,
  definition: ModelDefinition,
): Promise<Partition | undefined> {
  const setAside = new Set(
    (await newestPartitionRecords(db, definition.name))
      .filter(({ state }) => state === 'quarantined' || state === 'discarded')
      .map(({ partition }) => partition),
  );
  const now = new Date();
  const begun = begunPartition(definition.data, now);
  return newestLanded(
    db,
    lake,
    definition,
    definition.data.base,
    (partition) => partition <= begun && !isImmature(definition.data, partition, now) && !setAside.has(partition),
  );
}
