import { copyFile, link, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { withoutColumn } from '../../adapters/data-engine/without-column.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import type { ActivityDependencies } from '../dependencies.js';

export interface TrainerInputs {
  /** Absolute paths, in order. */
  trainFiles: string[];
  /** The same without the label. */
  holdoutFiles: string[];
}

/**
 * What a trainer is given to read, in a folder of its own: neither a path that it is told nor the folder of one leads
 * to the labels of the holdout. They stay with whoever evaluates.
 * @param label the column of the label; undefined where the task has none
 */
export async function trainerInputs(
  { cache }: Pick<ActivityDependencies, 'cache'>,
  asked: {
    train: readonly PartitionFile[];
    holdout: readonly PartitionFile[];
    label: string | undefined;
    folder: string;
  },
  signal: AbortSignal,
): Promise<TrainerInputs> {
  const { label } = asked;
  const folder = path.join(asked.folder, 'data');
  await mkdir(folder);
  const inputs: TrainerInputs = { trainFiles: [], holdoutFiles: [] };
  for (const [index, { key, sha256 }] of asked.train.entries()) {
    const target = path.join(folder, `train-${index}.parquet`);
    await placed(await cache.fetch(key, sha256), target);
    inputs.trainFiles.push(target);
  }
  for (const [index, { key, sha256 }] of asked.holdout.entries()) {
    const file = await cache.fetch(key, sha256);
    const target = path.join(folder, `holdout-${index}.parquet`);
    if (label === undefined) await placed(file, target);
    else await withoutColumn({ file, column: label, target, folder }, signal);
    inputs.holdoutFiles.push(target);
  }
  return inputs;
}

/** The same bytes under another name; a copy where the file systems differ. */
async function placed(file: string, target: string): Promise<void> {
  await link(file, target).catch(() => copyFile(file, target));
}
