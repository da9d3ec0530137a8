import { belowFloor, type Floor } from '../../domain/promotion/floor.js';
import { lakeFile } from '../../domain/data/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import type { Database } from '../connect.js';
import { snapshotByDigest } from '../data/data-queries.js';
import { newestPartitionRecords } from '../data/quarantine-lists.js';
import { runById } from '../training/run-queries.js';

export interface FloorCandidate {
  environment: Environment;
  /** In force. */
  definition: ModelDefinition;
  runId: string;
  snapshotSha256: string;
}

/** Where the lake lies. */
interface Lake {
  list(prefix: string): Promise<readonly { key: string; bytes: number }[]>;
}

/**
 * Why an environment's floor does not take a version, as things stand now: what a plan shows and what each effect asks.
 * Null where it may.
 */
export async function whyBelowFloor(
  db: Database,
  lake: Lake,
  floor: Floor,
  candidate: FloorCandidate,
): Promise<string | null> {
  const below = belowFloor(candidate.definition, floor);
  const old = floor.newestHoldout ? await whyOldHoldout(db, lake, candidate) : null;
  const reasons = [...below, ...(old === null ? [] : [old])];
  return reasons.length === 0 ? null : `it falls below what ${candidate.environment} asks: ${reasons.join('; ')}`;
}

/** A run takes the newest partition by itself; only one with `until` may have been given an easier one. */
async function whyOldHoldout(
  db: Database,
  lake: Lake,
  { definition, runId, snapshotSha256 }: FloorCandidate,
): Promise<string | null> {
  const { until } = await runById(db, runId);
  if (until === null) return null;
  const { watermark } = await snapshotByDigest(db, snapshotSha256);
  const newest = await newestMature(db, lake, definition);
  if (newest === undefined || watermark >= newest) return null;
  return `it was tested on ${watermark}, picked with --until, and ${newest} is there: train without --until`;
}

/**
 * The newest partition of the lake that has begun, and that validation has neither set aside nor a person thrown away.
 */
async function newestMature(
  db: Database,
  lake: Lake,
  { name: model, data }: ModelDefinition,
): Promise<Partition | undefined> {
  const files = await lake.list(objectKeys.lakeTable(model, data.base));
  const setAside = new Set(
    (await newestPartitionRecords(db, model))
      .filter(({ state }) => state === 'quarantined' || state === 'discarded')
      .map(({ partition }) => partition),
  );
  const begun = new Date().toISOString().slice(0, 7);
  return files
    .flatMap((object) => {
      const file = lakeFile(model, data.tables, object);
      return file.kind === 'data' && file.partition !== null ? [file.partition] : [];
    })
    .filter((partition) => partition <= begun && !setAside.has(partition))
    .sort()
    .at(-1);
}
