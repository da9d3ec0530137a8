import { groupBy } from '../../group-by.js';

/** A file of a place's manifest. */
export interface ManifestFile {
  key: string;
  bytes: number;
  /**
   * The server's tag of the content when the manifest was written: another one means that somebody has overwritten the
   * object.
   */
  etag: string;
  /** Null for a file that others put and no run has read yet. */
  sha256: string | null;
}

/** What a place of the lake, a partition of a table or a whole table, was last made by `data put` or `data rm`. */
export interface PlaceManifest {
  prefix: string;
  generation: number;
  /** The manifest; null where the place is ruled by what lies there. */
  files: readonly ManifestFile[] | null;
  actor: string;
  at: Date;
}

/** An object that lies in the lake and does not count. Without a tag it is an upload that no manifest names yet. */
export interface UncountedObject {
  key: string;
  etag: string | null;
  modifiedAt: string | null;
  since: Date;
}

/** What the database knows of the places that are looked at. */
export interface LakeManifests {
  places: readonly PlaceManifest[];
  uncounted: readonly UncountedObject[];
}

export interface LyingObject {
  key: string;
  bytes: number;
  etag: string;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** The place in which it lies. */
  prefix: string;
}

export interface CountedFile extends LyingObject {
  /** Known where a manifest names it. */
  sha256: string | null;
}

export interface LakeCount {
  counted: CountedFile[];
  /** In a place that a manifest rules, and not in the manifest: put there by somebody else. */
  beside: { key: string; place: PlaceManifest }[];
  /** Named by a manifest, and not there as it was: `gone`, or `overwritten`. */
  broken: { key: string; place: PlaceManifest; how: 'gone' | 'overwritten' }[];
}

/**
 * What counts in the lake. A place is ruled by its manifest from the first `data put` on, until a `data rm`: then the
 * manifest's files count and nothing else. Any other place is ruled by what lies there, less what is recorded as
 * not counted.
 *
 * `lying` must have been listed before what is recorded was read: then a place is as it was before a change, or as it
 * is after it, and never between.
 */
export function countLake(lying: readonly LyingObject[], { places, uncounted }: LakeManifests): LakeCount {
  const notCounted = new Map(uncounted.map((one) => [one.key, one]));
  const lyingIn = groupBy(lying, ({ prefix }) => prefix);
  const ruled = new Map(places.flatMap((place) => (place.files === null ? [] : [[place.prefix, place] as const])));
  const result: LakeCount = { counted: [], beside: [], broken: [] };
  for (const [prefix, objects] of lyingIn) {
    if (ruled.has(prefix)) continue;
    result.counted.push(
      ...objects.filter((object) => !isUncounted(object, notCounted)).map((object) => ({ ...object, sha256: null })),
    );
  }
  for (const [prefix, place] of ruled) {
    const there = new Map((lyingIn.get(prefix) ?? []).map((object) => [object.key, object]));
    for (const file of place.files ?? []) {
      const object = there.get(file.key);
      there.delete(file.key);
      if (object?.etag === file.etag) result.counted.push({ ...object, sha256: file.sha256 });
      else result.broken.push({ key: file.key, place, how: object ? 'overwritten' : 'gone' });
    }
    const others = [...there.values()].filter((object) => !isUncounted(object, notCounted));
    result.beside.push(...others.map(({ key }) => ({ key, place })));
  }
  return result;
}

/** Whether it is the very object that does not count, and not one that was put under its key since. */
function isUncounted(object: LyingObject, uncounted: ReadonlyMap<string, UncountedObject>): boolean {
  const known = uncounted.get(object.key);
  if (known === undefined) return false;
  return known.etag === null || (known.etag === object.etag && known.modifiedAt === object.modifiedAt);
}

/** What is wrong in a place, for the people who must put it right. */
export function describeBeside({ place }: LakeCount['beside'][number]): string {
  return (
    `is not in the manifest that ${place.actor} put on ${dateOf(place.at)}: only what ` +
    `\`perdure data put\` lands counts there. Put it (--append keeps what is there), or remove it`
  );
}

export function describeBroken({ place, how }: LakeCount['broken'][number]): string {
  return (
    `is named by the manifest that ${place.actor} put on ${dateOf(place.at)}, and was ` +
    `${how === 'gone' ? 'removed from' : 'overwritten in'} the bucket since: put the partition again`
  );
}

const dateOf = (at: Date) => `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** What a put or a removal makes of a place. */
export interface PlaceChange {
  /** The next manifest; null when what lies there counts from then on. */
  files: ManifestFile[] | null;
  /** Objects that no longer count. */
  superseded: LyingObject[];
}

/**
 * What a put makes of a place.
 * @param landed the uploads, as they lie there
 * @param append keep what counts now beside them
 */
export function planPut(
  lying: readonly LyingObject[],
  recorded: LakeManifests,
  landed: readonly ManifestFile[],
  { append }: { append: boolean },
): PlaceChange & { files: ManifestFile[]; alreadyThere: boolean } {
  const { counted } = countLake(lying, recorded);
  const landedKeys = new Set(landed.map(({ key }) => key));
  const kept = append ? counted.filter(({ key }) => !landedKeys.has(key)).map(asManifestFile) : [];
  const files = [...kept, ...landed].toSorted((left, right) => (left.key < right.key ? -1 : 1));
  const named = new Set(files.map(({ key }) => key));
  const superseded = append ? [] : countable(lying, recorded).filter(({ key }) => !named.has(key));
  const before = new Set(counted.map(({ key }) => key));
  return { files, superseded, alreadyThere: landed.every(({ key }) => before.has(key)) };
}

/** What a removal makes of a place: nothing that lies there counts, and what is put there later does. */
export function planRemoval(lying: readonly LyingObject[], recorded: LakeManifests): PlaceChange {
  return { files: null, superseded: countable(lying, recorded) };
}

/** Everything in a place that is no upload of somebody else and was not superseded before. */
function countable(lying: readonly LyingObject[], { uncounted }: LakeManifests): LyingObject[] {
  const notCounted = new Map(uncounted.map((one) => [one.key, one]));
  return lying.filter((object) => !isUncounted(object, notCounted));
}

const asManifestFile = ({ key, bytes, etag, sha256 }: CountedFile): ManifestFile => ({ key, bytes, etag, sha256 });

export function isSameManifest(left: readonly ManifestFile[] | null, right: readonly ManifestFile[] | null): boolean {
  const named = (files: readonly ManifestFile[] | null) =>
    files
      ?.map(({ key, etag }) => `${key} ${etag}`)
      .sort()
      .join('\n');
  return named(left) === named(right);
}
