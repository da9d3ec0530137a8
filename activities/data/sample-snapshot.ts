import { sampleRows } from '../../adapters/data-engine/snapshot/rows/sample-rows.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import type { RowSample, SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { ActivityDependencies } from '../dependencies.js';
import { createShapingEngine, memoryLimitMb } from './shaping-engine.js';

/** The files of a window cut down to a sample, and what the snapshot says of it. Without an order they stay whole. */
export interface SampledFiles {
  files: PartitionFile[];
  sample?: RowSample;
}

/**
 * Cuts the shaped files of a window down to the sample that an environment takes. A partition without a chosen row
 * keeps its place. What is written is named by its digest, so that repeating writes the same.
 */
export async function sampleSnapshot(
  { store, cache, config }: Pick<ActivityDependencies, 'store' | 'cache' | 'config'>,
  { definition, order, files }: { definition: ModelDefinition; order: SampleOrder | null; files: PartitionFile[] },
  signal: AbortSignal,
  report: (progress: string) => void,
): Promise<SampledFiles> {
  if (order === null) return { files };
  const of = files.reduce((sum, { rows }) => sum + rows, 0);
  const sample = { ...order, of };
  if (of <= order.rows) return { files, sample };
  report(`taking a sample of ${order.rows} of ${of} rows`);
  const folder = await makeWorkFolder(config.home, 'sample');
  const engine = createShapingEngine(signal);
  try {
    const local = await Promise.all(files.map((file) => cache.fetch(file.key, file.sha256)));
    const session = await engine.open({ folder, readable: local, threads: 1, memoryLimitMb, signal });
    const { contract } = definition;
    const taken = await sampleRows(session, { ...order, files: local, contract, folder });
    session.close();
    const sampled: PartitionFile[] = [];
    for (const [index, { path, sha256, bytes, rows, positives }] of taken.entries()) {
      const file = files[index];
      if (!file) continue;
      const key = objectKeys.snapshotFile(definition.name, sha256);
      await store.putImmutable(key, { file: path });
      sampled.push({ ...file, key, sha256, bytes, rows, positives });
    }
    return { files: sampled, sample };
  } finally {
    engine.end();
    await removeWorkFolder(folder);
  }
}
