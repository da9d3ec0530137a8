import { definitionInForce } from '../../db/model/definition-queries.js';
import { newestLanded } from '../../db/data/lake-partitions.js';
import { whyUnlikely } from '../../domain/data/lake/unlikely-partition.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Partition } from '../../domain/partition.js';
import type { ApiDeps } from '../deps.js';
import { lakePlace } from './lake-place.js';
import type { PutPlace } from './put-lake-files.js';

type Deps = Pick<ApiDeps, 'db' | 'objects'>;

/** @throws PerdureError `input/invalid` for a partition that is probably a slip of the pen, unless it is forced. */
export async function placeForPut(
  deps: Deps,
  { model, table }: { model: string; table: string },
  { partition, force }: { partition?: Partition | undefined; force: boolean },
): Promise<PutPlace> {
  const { definition } = await definitionInForce(deps.db, model);
  const place = { ...lakePlace(definition, table, partition), definition };
  if (partition !== undefined && !force) await mustBeLikely(deps, definition, table, partition);
  return place;
}

async function mustBeLikely(
  deps: Deps,
  definition: ModelDefinition,
  table: string,
  partition: Partition,
): Promise<void> {
  const newest = await newestLanded(deps.db, deps.objects, definition, table);
  const doubt = whyUnlikely(definition.data, {
    table,
    partition,
    present: newest === undefined ? [] : [newest],
    now: new Date(),
  });
  if (doubt === undefined) return;
  throw new PerdureError(
    'input/invalid',
    `partition: ${doubt}. Nothing was stored. Correct the partition, or put it anyway with --force (force=true).`,
    { partition },
  );
}
