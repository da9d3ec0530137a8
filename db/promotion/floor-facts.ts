import { belowFloor, type Floor } from '../../domain/promotion/floor.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { begunPartition } from '../../domain/calendar/partition-bounds.js';
import type { Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import { snapshotByDigest } from '../data/partition-queries.js';
import type { LakeStore } from '../data/lake-content.js';
import { newestLanded } from '../data/lake-partitions.js';
import { newestPartitionRecords } from '../data/quarantine-lists.js';
import { runById } from '../training/run-queries.js';

export interface FloorCandidate {
  environment: Environment;
  /** In force. */
  definition: ModelDefinition;
  runId: string;
  snapshotSha256: string;
}

/**
 * Why an environment's floor does not take a version, as things stand now: what a plan shows and what each effect asks.
 * Null where it may.
 */
export async function whyBelowFloor(
  db: Database,
  lake: LakeStore,
  floor: Floor,
  candidate: FloorCandidate,
): Promise<string | null> {
  const below = belowFloor(candidate.definition, floor);
  const old = floor.newestHoldout ? await whyOldHoldout(db, lake, candidate) : null;
  const reasons = [...below, ...(old === null ? [] : [old])];
  return reasons.length === 0 ? null : `it is below the floor of ${candidate.environment}: ${reasons.join('; ')}`;
}

/** A run takes the newest partition by itself; only one with `until` may have been given an easier one. */
async function whyOldHoldout(
  db: Database,
  lake: LakeStore,
  { definition, runId, snapshotSha256 }: FloorCandidate,
): Promise<string | null> {
  const { until } = await runById(db, runId);
  if (until === null) return null;
  const { watermark } = await snapshotByDigest(db, snapshotSha256);
  const newest = await newestMature(db, lake, definition);
  if (newest === undefined || watermark >= newest) return null;
  return `it was tested on ${watermark}, chosen with --until, but ${newest} is available: train without --until`;
}

/**
 * The newest partition of the lake that has begun, and that validation has neither set aside nor a person thrown away.
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
  const begun = begunPartition(definition.data, new Date());
  return newestLanded(
    db,
    lake,
    definition,
    definition.data.base,
    (partition) => partition <= begun && !setAside.has(partition),
  );
}
