import { recordsOfInputs, type PartitionRecord } from '../../db/data/partition-queries.js';
import { lakeContent, type LakeContent, type LakeScope } from '../../db/data/lake-content.js';
import { inputsByPartition } from '../../domain/data/lake/lake-inputs.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Partition } from '../../domain/partition.js';
import type { ApiDeps } from '../deps.js';

export interface JudgedLake extends LakeContent {
  /** The digest of what each partition is made from; null where no run has read it as it lies there. */
  inputs: Map<Partition, string | null>;
  /** What was said of the content that lies there now. A partition is absent until a run has read it as it is. */
  verdicts: Map<Partition, PartitionRecord>;
}

/** What counts in these partitions of a model now, under the definition in force, and what validation said of it. */
export async function judgedLake(
  { db, objects }: Pick<ApiDeps, 'db' | 'objects'>,
  definition: ModelDefinition,
  scope: LakeScope,
): Promise<JudgedLake> {
  const content = await lakeContent(db, objects, definition, scope);
  const asked = new Set(scope.partitions);
  const inputs = new Map(
    [...inputsByPartition(definition, content.files)].filter(([partition]) => asked.has(partition)),
  );
  const digests = [...inputs.values()].flatMap((digest) => digest ?? []);
  const records = await recordsOfInputs(db, definition.name, digests);
  const verdicts = new Map(
    records.filter((one) => inputs.get(one.partition) === one.inputsSha256).map((one) => [one.partition, one]),
  );
  const files = content.files.filter(({ partition }) => partition === null || asked.has(partition));
  return { ...content, files, inputs, verdicts };
}
