import type { ListedObject } from '../../adapters/object-store/object-store.js';
import { knownLakeObjects, recordsOfInputs, type PartitionRecord } from '../../db/data/data-queries.js';
import { countedLake } from '../../db/data/lake-changes.js';
import { inputsByPartition } from '../../domain/data/lake-inputs.js';
import { lakeFile, type StrayFile } from '../../domain/data/lake-files.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import type { ApiDeps } from '../deps.js';

export interface LakeContent {
  files: (ListedObject & { table: string; partition: Partition | null })[];
  /** Files that nothing reads, though they may be meant as data. */
  strays: StrayFile[];
  /** What was said of the content that lies there now. A partition is absent until a run has read it as it is. */
  verdicts: Map<Partition, PartitionRecord>;
}

/** What lies in the lake of a model now, under the definition in force. */
export async function lakeContent(
  { db, objects }: Pick<ApiDeps, 'db' | 'objects'>,
  definition: ModelDefinition,
): Promise<LakeContent> {
  const { name: model, data } = definition;
  const files: LakeContent['files'] = [];
  const strays: StrayFile[] = [];
  for (const object of await countedLake(db, model, () => objects.list(objectKeys.lake(model)))) {
    const file = lakeFile(model, data.tables, object);
    if (file.kind === 'data') files.push({ ...object, table: file.table, partition: file.partition });
    else if (file.kind === 'stray') strays.push({ key: object.key, problem: file.problem });
  }
  const keys = files.map(({ key }) => key);
  const known = new Map((await knownLakeObjects(db, keys)).map(({ key, etag, sha256 }) => [`${key}\n${etag}`, sha256]));
  const inputs = inputsByPartition(
    definition,
    files.map(({ table, partition, key, etag }) => ({
      table,
      partition,
      sha256: known.get(`${key}\n${etag}`) ?? null,
    })),
  );
  const digests = [...inputs.values()].flatMap((digest) => digest ?? []);
  const records = await recordsOfInputs(db, model, digests);
  const verdicts = new Map(
    records.filter((one) => inputs.get(one.partition) === one.inputsSha256).map((one) => [one.partition, one]),
  );
  return { files, strays, verdicts };
}
