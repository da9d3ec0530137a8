import path from 'node:path';
import { shapeForChampion } from '../../adapters/data-engine/snapshot/shape-for-champion.js';
import type { EvaluationRequest } from '../../adapters/onnx/evaluation-request.js';
import { comparisonShape, readsAlike } from '../../domain/data/snapshot/comparison-shape.js';
import { filesByPartition, inputObjects } from '../../domain/data/lake/lake-inputs.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import { partitionInputsDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import type { PartitionFile, SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import type { ActivityDependencies } from '../dependencies.js';
import { readLake, type LakePartition } from '../data/read-lake.js';
import { createShapingEngine, memoryLimitMb } from '../data/shaping-engine.js';

interface Question {
  champion: ModelDefinition;
  challenger: ModelDefinition;
  /** The challenger's snapshot: its holdout is what both are asked. */
  manifest: SnapshotManifest;
  workDir: string;
  signal: AbortSignal;
  report: (progress: string) => void;
}

type ChampionToAsk = Pick<NonNullable<EvaluationRequest['champion']>, 'own' | 'impossible'>;

/**
 * On what a champion is asked: the challenger's own files where it reads the same of them, else the same rows with its
 * own features, read from the same objects of the lake.
 */
export async function championRows(deps: ActivityDependencies, question: Question): Promise<ChampionToAsk> {
  const { champion, challenger, manifest, workDir, signal, report } = question;
  if (readsAlike(champion, challenger)) return {};
  const definition = comparisonShape(champion, challenger);
  if ('impossible' in definition) return definition;
  report('reading the tables again, for the features of the champion');
  const { partitions } = await readLake(deps, { ...challenger, data: definition.data }, report);
  const holdout: { path: string; sha256: string }[] = [];
  const engine = createShapingEngine(signal);
  try {
    for (const file of manifest.holdout) {
      const content = partitions.find(({ partition }) => partition === file.partition);
      if (content === undefined || hasChanged(content, file, question))
        return { impossible: `the data of ${file.partition} has changed since the snapshot was taken` };
      const { files, earlier: earlierFiles, names } = await content.download(workDir);
      const rows = await shapeForChampion({
        definition,
        champion: champion.contract,
        challenger: challenger.contract,
        partition: file.partition,
        tableFiles: files,
        earlierFiles,
        fileNames: names,
        rows: await deps.cache.fetch(file.key, file.sha256),
        workDir: path.join(workDir, 'champion'),
        signal,
        memoryLimitMb,
        openSession: engine.open,
        onProgress: ({ what }) => report(`features of the champion in ${file.partition}: ${what}`),
      });
      if ('impossible' in rows) return rows;
      await deps.store.putImmutable(objectKeys.snapshotFile(manifest.model, rows.sha256), { file: rows.path });
      holdout.push(rows);
    }
  } finally {
    engine.end();
  }
  return { own: { contract: champion.contract, holdout } };
}

/** Whether the challenger's rows would be made from other objects today. */
function hasChanged(content: LakePartition, file: PartitionFile, { challenger, manifest }: Question): boolean {
  const read = content.objects.filter(({ table }) => Object.hasOwn(challenger.data.tables, table));
  const own = filesByPartition(challenger, read).get(file.partition) ?? [];
  const objects = inputObjects(file.partition, own);
  return partitionInputsDigest({ shapeSha256: manifest.shapeSha256, objects }) !== file.inputsSha256;
}
