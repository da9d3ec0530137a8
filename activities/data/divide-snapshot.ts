import { divideRows } from '../../adapters/data-engine/snapshot/rows/divide-rows.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import { describeSplit, type RowSplit, type SplitPolicy } from '../../domain/data/split-policy.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { maturedUntil } from '../../domain/data/maturity.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { ActivityDependencies } from '../dependencies.js';
import { createShapingEngine, memoryLimitMb } from './shaping-engine.js';

/** The files that train and those that test; or why rows cannot be divided so. */
export type DividedFiles = { train: PartitionFile[]; holdout: PartitionFile[] } | { impossible: string };

/**
 * Divides the shaped files of a window as the definition says. What is written is named by its digest, so that
 * repeating writes the same.
 */
export async function divideSnapshot(
  { store, cache, config }: Pick<ActivityDependencies, 'store' | 'cache' | 'config'>,
  { definition, split, files }: { definition: ModelDefinition; split: SplitPolicy; files: readonly PartitionFile[] },
  signal: AbortSignal,
  report: (progress: string) => void,
): Promise<DividedFiles> {
  if (split.kind === 'last')
    return { train: files.slice(0, -split.partitions), holdout: files.slice(-split.partitions) };
  report(`dividing rows: ${describeSplit(split)}`);
  const folder = await makeWorkFolder(config.home, 'divide');
  const engine = createShapingEngine(signal);
  try {
    const local = await Promise.all(files.map((file) => cache.fetch(file.key, file.sha256)));
    const session = await engine.open({ folder, readable: local, threads: 1, memoryLimitMb, signal });
    const { contract, data } = definition;
    const until = data.cadence === 'static' ? maturedUntil(data, new Date()) : undefined;
    const parts = await divideRows(session, { files: local, split, contract, folder, until });
    session.close();
    const divided = parts.flatMap(({ file: index, part, path, sha256, bytes, rows, positives }) => {
      const file = files[index];
      const key = objectKeys.snapshotFile(definition.name, sha256);
      return file ? [{ path, part, file: { ...file, key, sha256, bytes, rows, positives } }] : [];
    });
    const missing = emptySide(
      split,
      divided.map(({ part }) => part),
    );
    if (missing !== undefined) return { impossible: missing };
    for (const { path, file } of divided) await store.putImmutable(file.key, { file: path });
    return sidesOf(split, divided);
  } finally {
    engine.end();
    await removeWorkFolder(folder);
  }
}

function sidesOf(split: RowSplit, divided: readonly { part: number; file: PartitionFile }[]) {
  if (split.kind === 'share')
    return {
      train: divided.filter(({ part }) => part === 0).map(({ file }) => file),
      holdout: divided.filter(({ part }) => part === 1).map(({ file }) => file),
    };
  const files = divided.map(({ part, file }) => ({ ...file, fold: part }));
  return { train: files, holdout: split.by === 'time' ? files.filter(({ fold }) => fold > 0) : files };
}

/** Why there is a side without rows; undefined where each has some. */
function emptySide(split: RowSplit, parts: readonly number[]): string | undefined {
  const there = new Set(parts);
  const wanted = split.kind === 'share' ? 2 : split.folds + (split.by === 'time' ? 1 : 0);
  for (let part = 0; part < wanted; part += 1) {
    if (there.has(part)) continue;
    const side = split.kind === 'share' ? (part === 0 ? 'the training rows' : 'the holdout') : `fold ${part + 1}`;
    const few = { group: `values of ${split.group}`, time: 'different times', random: 'rows' }[split.by];
    return (
      `${side} would be empty with ${describeSplit(split)}: there are too few ${few}. Put more data, or change ` +
      'data.split.'
    );
  }
  return undefined;
}
