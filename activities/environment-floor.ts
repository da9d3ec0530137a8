import { readFloors } from '../adapters/floors-file.js';
import { belowFloor, floorOf, type Floor } from '../domain/floor.js';
import type { ModelDefinition } from '../domain/model-definition.js';
import type { Environment } from '../domain/names.js';
import { lakeFile } from '../domain/lake-files.js';
import { objectKeys } from '../domain/object-keys.js';
import type { Partition } from '../domain/partition.js';
import { newestPartitionRecords } from '../db/quarantine-lists.js';
import { snapshotByDigest } from '../db/data-queries.js';
import { runById } from '../db/run-queries.js';
import { isBroken } from './decision-trust.js';
import type { ActivityDependencies } from './dependencies.js';

interface Candidate {
  environment: Environment;
  /** In force. */
  definition: ModelDefinition;
  runId: string;
  snapshotSha256: string;
}

/** While it cannot be read it is asked again: a broken file neither lets a version in nor ends its promotion. */
export async function readFloor({ floors }: Pick<ActivityDependencies['config'], 'floors'>, environment: Environment): Promise<Floor> {
  const read = await readFloors(floors).catch((error: unknown) => {
    throw isBroken(error) ? new Error(error.message, { cause: error }) : error;
  });
  return floorOf(read, environment);
}

/** What an environment asks of every version, asked again at each effect. */
export function environmentFloor({ db, store, config }: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  return { whyRefused };

  /** Why the environment does not take the version; null where it may. */
  async function whyRefused(candidate: Candidate): Promise<string | null> {
    const floor = await readFloor(config, candidate.environment);
    const below = belowFloor(candidate.definition, floor);
    const old = floor.newestHoldout ? await whyOldHoldout(candidate) : null;
    const reasons = [...below, ...(old === null ? [] : [old])];
    return reasons.length === 0 ? null : `it falls below what ${candidate.environment} asks: ${reasons.join('; ')}`;
  }

  /** A run takes the newest partition by itself; only one with `until` may have been given an easier one. */
  async function whyOldHoldout({ definition, runId, snapshotSha256 }: Candidate): Promise<string | null> {
    const { until } = await runById(db, runId);
    if (until === null) return null;
    const { watermark } = await snapshotByDigest(db, snapshotSha256);
    const newest = await newestMature(definition);
    if (newest === undefined || watermark >= newest) return null;
    return `it was tested on ${watermark}, picked with --until, and ${newest} is there: train without --until`;
  }

  /** The newest partition of the lake that has begun, and that validation has neither set aside nor a person thrown away. */
  async function newestMature({ name: model, data }: ModelDefinition): Promise<Partition | undefined> {
    const files = await store.list(objectKeys.lakeTable(model, data.base));
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
}
