import { newestLanded } from '../../db/data/lake-partitions.js';
import { whyUnlikely } from '../../domain/data/lake/unlikely-partition.js';
import { PerdureError } from '../../domain/errors.js';
import type { LakeReader } from '../../domain/data/lake/lake-files.js';
import type { SharingModel } from '../../domain/data/lake/shared-table.js';
import type { Partition } from '../../domain/partition.js';
import type { ApiDeps } from '../deps.js';
import { lakeOf } from './lake-of.js';
import { lakePlace } from './lake-place.js';
import type { PutPlace } from './put-lake-files.js';

type Deps = Pick<ApiDeps, 'db' | 'objects'>;

/** @throws PerdureError `input/invalid` for a partition that is probably a slip of the pen, unless it is forced. */
export async function placeForPut(
  deps: Deps,
  { model, table }: { model: string; table: string },
  { partition, force }: { partition?: Partition | undefined; force: boolean },
): Promise<PutPlace> {
  const { lake, readers } = await lakeOf(deps, { model, table });
  const place = { ...lakePlace(lake, table, partition), lake };
  if (partition !== undefined && !force) await mustBeLikely(deps, { lake, readers, table, partition });
  return place;
}

async function mustBeLikely(
  deps: Deps,
  asked: { lake: LakeReader; readers: readonly SharingModel[]; table: string; partition: Partition },
): Promise<void> {
  const { lake, readers, table, partition } = asked;
  const newest = await newestLanded(deps.db, deps.objects, lake, table);
  const present = newest === undefined ? [] : [newest];
  const doubts = readers.map(({ data }) => whyUnlikely(data, { table, partition, present, now: new Date() }));
  // What one of its models can use is no slip.
  const [doubt] = doubts;
  if (doubt === undefined || doubts.includes(undefined)) return;
  throw new PerdureError(
    'input/invalid',
    `partition: ${doubt}. Nothing was stored. Correct the partition, or put it anyway with --force (force=true).`,
    { partition },
  );
}
