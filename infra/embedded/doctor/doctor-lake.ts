import { createObjectStore } from '../../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { lakeContent, type LakeStore } from '../../../db/data/lake-content.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { definitionsInForce, type DefinitionInForce } from '../../../db/model/model-lists.js';
import { describeStrays, type StrayFile } from '../../../domain/data/lake/lake-files.js';
import { sharedOwner } from '../../../domain/data/lake/lake-owner.js';
import { sharedTables } from '../../../domain/data/lake/shared-table.js';
import { messageOf } from '../../../domain/errors.js';
import type { BucketAccess } from '../servers/bucket.js';
import { note, ok, problem, type Check } from '../../../oversight/check.js';

/** Models looked at together, and how long all of them may take: the rest is for `data ls`. */
const modelsAtOnce = 4;
const budgetMs = 3_000;

/** Files of the lake that nobody reads though they may be meant as data, and files of manifests that are gone. */
export async function lakeCheck(databaseUrl: string, bucket: BucketAccess): Promise<Check> {
  const { accessKeyId = '', secretAccessKey = '' } = bucket;
  const db = connectDatabase(databaseUrl, { max: modelsAtOnce });
  const store = createObjectStore({ ...bucket, accessKeyId, secretAccessKey });
  try {
    return await lakeFindings(db, store);
  } catch (error) {
    return problem('lake', messageOf(error), 'See the lines on PostgreSQL and S3.');
  } finally {
    store.close();
    await db.close();
  }
}

export async function lakeFindings(db: Database, store: LakeStore): Promise<Check> {
  const models = await definitionsInForce(db);
  const until = Date.now() + budgetMs;
  const broken: StrayFile[] = [];
  const strays: StrayFile[] = await strayShared(store, models);
  let looked = 0;
  for (; looked < models.length && Date.now() < until; looked += modelsAtOnce) {
    const some = models.slice(looked, looked + modelsAtOnce);
    const found = await Promise.all(some.map(({ definition }) => lakeContent(db, store, definition)));
    // Models that share a table find the same in it.
    addNew(
      broken,
      found.flatMap((one) => one.broken),
    );
    addNew(
      strays,
      found.flatMap((one) => one.strays),
    );
  }
  const rest = looked < models.length ? ` ${models.length - looked} of ${models.length} models were not checked.` : '';
  const remedy = 'Put data files with `npx perdure data put`; `npx perdure data ls MODEL` names each file.';
  if (broken.length > 0)
    return problem(
      'lake',
      `${broken.length} file(s) of manifests cannot be read.${describeStrays(broken)}${rest}`,
      remedy,
    );
  if (strays.length > 0)
    return note('lake', `${strays.length} file(s) are not read.${describeStrays(strays)}${rest}`, remedy);
  return ok('lake', `every file is read or superseded.${rest}`);
}

function addNew(known: StrayFile[], found: readonly StrayFile[]): void {
  const keys = new Set(known.map(({ key }) => key));
  for (const one of found) {
    if (keys.has(one.key)) continue;
    keys.add(one.key);
    known.push(one);
  }
}

/** Folders among the shared tables that no model in force shares. */
async function strayShared(store: LakeStore, models: readonly DefinitionInForce[]): Promise<StrayFile[]> {
  const shared = new Set(sharedTables(models.map(({ definition }) => definition)).map(({ table }) => table));
  const { folders } = await store.folders(objectKeys.lake(sharedOwner));
  return folders
    .filter((folder) => !shared.has(folder))
    .map((folder) => ({
      key: objectKeys.lakeTable(sharedOwner, folder),
      problem: `no model in force shares a table ${folder}`,
    }));
}
