import { groupBy } from '../../domain/group-by.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { LakeListing } from '../../client/http/data.js';
import type { ApiDeps } from '../deps.js';
import { lakeContent, type LakeContent } from './lake-content.js';

const straysMax = 100;

/** What has landed for a model, table by table, and what validation said of it. */
export async function lakeListing(deps: ApiDeps, definition: ModelDefinition): Promise<LakeListing> {
  const { files, strays, verdicts } = await lakeContent(deps, definition);
  return {
    model: definition.name,
    tables: Object.entries(definition.data.tables).map(([table, { partitioned }]) => {
      const own = files.filter((file) => file.table === table);
      return {
        table,
        partitioned,
        files: own.length,
        bytes: totalBytes(own),
        partitions: partitioned ? byPartition(own) : [],
      };
    }),
    validations: [...verdicts.values()]
      .toSorted((left, right) => (left.partition < right.partition ? -1 : 1))
      .map(({ partition, state, rows, positives, summary, validatedAt }) => ({
        ...{ partition, state, rows, positives, summary },
        validatedAt: validatedAt.toISOString(),
      })),
    notRead: { files: strays.length, first: strays.slice(0, straysMax) },
  };
}

function byPartition(files: LakeContent['files']) {
  const groups = groupBy(files, ({ partition }) => partition ?? '');
  return [...groups]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([partition, own]) => ({
      partition,
      files: own.length,
      bytes: totalBytes(own),
      newestAt: own.map(({ modifiedAt }) => modifiedAt).reduce((newest, at) => (at > newest ? at : newest)),
    }));
}

const totalBytes = (files: LakeContent['files']) => files.reduce((sum, file) => sum + file.bytes, 0);
