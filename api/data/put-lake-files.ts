import { withLakePlace, type HeldPlace, type LakePlace } from '../../db/data/lake-manifests.js';
import {
  isSameManifest,
  planPut,
  planRemoval,
  type LyingObject,
  type ManifestFile,
} from '../../domain/data/lake/lake-manifest.js';
import { PerdureError } from '../../domain/errors.js';
import { lakeFile, type LakeReader } from '../../domain/data/lake/lake-files.js';
import { ownerOfKey } from '../../domain/data/lake/lake-owner.js';
import type { LandedFile, PutFilesResult, RemoveDataResult } from '../../client/http/data.js';
import type { ApiDeps } from '../deps.js';
import type { ReceivedFile } from './receive-parquet.js';

const parquetType = 'application/vnd.apache.parquet';

type Deps = Pick<ApiDeps, 'db' | 'objects'>;

/** A place of a lake, as those who read it see it. */
export interface PutPlace extends LakePlace {
  lake: LakeReader;
}

export interface LakeChanger {
  actor: string;
  reason: string | null;
}

/** How often a place had been changed when a put began: it replaces what it saw, and nothing that came after. */
export async function generationOf({ db }: Deps, place: PutPlace): Promise<number> {
  return withLakePlace(db, place, async ({ now }) => now?.generation ?? 0);
}

/**
 * Lands a file in its place, where nobody counts it until a manifest names it. It is named by its SHA-256, so that the
 * same bytes are one object however often they are sent. A put that dies leaves it to retention.
 */
export async function landFile({ db, objects }: Deps, place: PutPlace, received: ReceivedFile): Promise<LandedFile> {
  const { sha256, bytes } = received;
  const key = `${place.prefix}${sha256}.parquet`;
  // Before the bytes are there; and while retention, which holds the same lock, removes no object of this key.
  await withLakePlace(db, place, ({ announce }) => announce([key]));
  const there = await objects.head(key);
  if (there?.sha256 !== sha256) await objects.put(key, { file: received.file }, { contentType: parquetType });
  return { key, sha256, bytes };
}

/**
 * Switches the place's manifest to files that have landed, all of them in one moment, in place of what counts there, or
 * beside it with `append`.
 * @param seen the generation of the place when the put began
 * @throws PerdureError `state/conflict` when another put was faster: its files stay, whole, and those of this one do
 * not count.
 */
export async function switchManifest(
  deps: Deps,
  place: PutPlace,
  landed: readonly LandedFile[],
  { append, seen, ...changer }: LakeChanger & { append: boolean; seen: number },
): Promise<PutFilesResult> {
  return withLakePlace(deps.db, place, async (held) => {
    const { now, recorded } = held;
    const lying = await lyingIn(deps, place);
    if (append) mustBeWhole(place, held, lying);
    const { files, superseded, alreadyThere } = planPut(lying, recorded, filesOf(place, landed, lying), { append });
    const unchanged = now !== undefined && superseded.length === 0 && isSameManifest(now.files, files);
    if (unchanged) await held.forget(landed.map(({ key }) => key));
    else if (!append && now && now.generation !== seen) throw lostAgainst(place, now);
    const { table, partition } = place;
    const generation = unchanged
      ? now.generation
      : await held.change({ files, superseded, table, partition, ...changer });
    return { files: [...landed], alreadyThere, replaced: superseded.map(({ key }) => key), generation };
  });
}

/**
 * Takes away what lies in a place: it no longer counts. What is put straight into the bucket after that does.
 * @throws PerdureError `not-found` when nothing lies there.
 */
export async function removeLakeFiles(deps: Deps, place: PutPlace, changer: LakeChanger): Promise<RemoveDataResult> {
  return withLakePlace(deps.db, place, async (held) => {
    const { table, partition, model } = place;
    const { files, superseded } = planRemoval(await lyingIn(deps, place), held.recorded);
    if (superseded.length === 0 && !held.now?.files) {
      throw new PerdureError('not-found', `${place.prefix} is empty. \`perdure data ls ${model}\` lists the data.`, {
        model,
      });
    }
    await held.change({ files, superseded, table, partition, ...changer });
    return { removed: superseded.map(({ key }) => key) };
  });
}

async function lyingIn({ objects }: Deps, { lake, prefix }: PutPlace): Promise<LyingObject[]> {
  const listed = await objects.list(prefix);
  return listed.flatMap((object) =>
    lakeFile(ownerOfKey(prefix), lake.data, object).kind === 'data' ? [{ ...object, prefix }] : [],
  );
}

/** The uploads as they lie there. */
function filesOf({ prefix }: PutPlace, landed: readonly LandedFile[], lying: readonly LyingObject[]): ManifestFile[] {
  const there = new Map(lying.map((object) => [object.key, object]));
  return landed.map(({ key, sha256, bytes }) => {
    const object = there.get(key);
    if (object?.bytes !== bytes)
      throw new PerdureError(
        'state/conflict',
        `The upload ${key} is not in ${prefix} any more. Nothing was changed: put the files again.`,
        { key },
      );
    return { key, bytes, etag: object.etag, sha256 };
  });
}

/** What is not there cannot be kept. */
function mustBeWhole({ prefix, model, table }: PutPlace, { now }: HeldPlace, lying: readonly LyingObject[]): void {
  const there = new Map(lying.map(({ key, etag }) => [key, etag]));
  const missing = now?.files?.find(({ key, etag }) => there.get(key) !== etag);
  if (missing)
    throw new PerdureError(
      'state/conflict',
      `${prefix} cannot be appended to: ${missing.key} of its manifest was removed or overwritten in the ` +
        `bucket. Put all of its files: perdure data put ${model} ${table} FILE….`,
      { key: missing.key },
    );
}

function lostAgainst(
  { prefix }: PutPlace,
  { actor, at, generation, files }: NonNullable<HeldPlace['now']>,
): PerdureError {
  const what =
    files === null ? 'removed its content' : `put ${files.map(({ key }) => key.slice(prefix.length)).join(', ')}`;
  return new PerdureError(
    'state/conflict',
    `Conflict: while this upload was in progress, ${actor} ${what} at ${at.toISOString()}. ${prefix} is intact as ` +
      'they left it, and this upload was discarded. Check it, and put again if yours is the right one.',
    { prefix, generation, actor },
  );
}
