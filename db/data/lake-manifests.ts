import { and, eq, inArray, or, sql, type SQL } from 'drizzle-orm';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { PlaceManifest, LakeManifests, PlaceChange } from '../../domain/data/lake/lake-manifest.js';
import { lakeChanges, lakePlaces, lakeUncounted } from '../schema/index.js';
import type { Database } from '../connect.js';

/** A place of the lake: where it lies, and what it is. */
export interface LakePlace {
  prefix: string;
  model: string;
  table: string;
  partition: string | null;
}

type LockedPlace = Pick<LakePlace, 'prefix' | 'model'>;
type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0];

/** How long a change waits for another one of the same place. */
const lockTimeoutMs = 60_000;

/**
 * What the database knows of a model's places, at one moment. Read it after the bucket was listed, never before.
 * @param only these places, or the places of these tables, alone
 */
export async function lakeManifests(
  db: Database,
  model: string,
  only: { prefixes?: readonly string[] | undefined; tables?: readonly string[] } = {},
): Promise<LakeManifests> {
  return db.orm.transaction((tx) => readManifests(tx, model, only), {
    isolationLevel: 'repeatable read',
    accessMode: 'read only',
  });
}

async function readManifests(
  tx: Transaction,
  model: string,
  { prefixes, tables }: NonNullable<Parameters<typeof lakeManifests>[2]>,
): Promise<LakeManifests> {
  const ofTables = tables && inArray(lakePlaces.table, [...tables]);
  const belowTables =
    tables &&
    or(...tables.map((table) => sql`starts_with(${lakeUncounted.prefix}, ${objectKeys.lakeTable(model, table)})`));
  const ofPlaces = prefixes === undefined ? undefined : inArray(lakePlaces.prefix, [...prefixes]);
  const ofUncounted = prefixes === undefined ? undefined : inArray(lakeUncounted.prefix, [...prefixes]);
  const { prefix, generation, files, actor, at } = lakePlaces;
  const { key, etag, modifiedAt, since } = lakeUncounted;
  return {
    places: await tx
      .select({ prefix, generation, files, actor, at })
      .from(lakePlaces)
      .where(and(eq(lakePlaces.model, model), ofPlaces, ofTables)),
    uncounted: await tx
      .select({ key, etag, modifiedAt, since })
      .from(lakeUncounted)
      .where(and(eq(lakeUncounted.model, model), ofUncounted, belowTables)),
  };
}

/** What has been put into a table by way of manifests: the partitions, the newest first. */
export async function ruledPartitions(db: Database, model: string, table: string): Promise<string[]> {
  const rows = await db.orm
    .select({ partition: lakePlaces.partition })
    .from(lakePlaces)
    .where(and(eq(lakePlaces.model, model), eq(lakePlaces.table, table), sql`${lakePlaces.files} is not null`))
    .orderBy(sql`${lakePlaces.partition} desc`);
  return rows.flatMap(({ partition }) => partition ?? []);
}

type NamedChange = PlaceChange & Pick<LakePlace, 'table' | 'partition'> & { actor: string; reason: string | null };

/** A place for whoever holds its lock. */
export interface HeldPlace {
  recorded: LakeManifests;
  /** Undefined where nothing was ever put. */
  now: PlaceManifest | undefined;
  /** The one write that changes what counts. Takes effect with the transaction. */
  change(change: NamedChange): Promise<number>;
  /** Makes an upload of these keys known before it begins, so that nobody counts it. */
  announce(keys: readonly string[]): Promise<void>;
  forget(keys: readonly string[]): Promise<void>;
}

/** Runs `work` in one transaction while nobody else changes this place, in whichever process. */
export async function withLakePlace<T>(
  db: Database,
  place: LockedPlace,
  work: (held: HeldPlace) => Promise<T>,
): Promise<T> {
  return db.orm.transaction(async (tx) => {
    await tx.execute(sql.raw(`set local statement_timeout = ${lockTimeoutMs}`));
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${place.prefix}, 7433))`);
    const recorded = await readManifests(tx, place.model, { prefixes: [place.prefix] });
    const now = recorded.places[0];
    return work({
      recorded,
      now,
      change: async (change) => switchPlace(tx, place, { ...change, generation: (now?.generation ?? 0) + 1 }),
      async announce(keys) {
        const rows = keys.map((key) => ({ key, model: place.model, prefix: place.prefix, why: 'landing' as const }));
        const landing = { why: 'landing' as const, etag: null, modifiedAt: null, since: sql`now()` };
        await tx.insert(lakeUncounted).values(rows).onConflictDoUpdate({ target: lakeUncounted.key, set: landing });
      },
      async forget(keys) {
        await tx.delete(lakeUncounted).where(inArray(lakeUncounted.key, [...keys]));
      },
    });
  });
}

async function switchPlace(
  tx: Transaction,
  { prefix, model }: LockedPlace,
  { files, superseded, table, partition, actor, reason, generation }: NamedChange & { generation: number },
): Promise<number> {
  const row = { generation, files, actor, reason, at: sql`now()` };
  // The lock is held: the row that stands there is the one that was read.
  await tx
    .insert(lakePlaces)
    .values({ prefix, model, table, partition, ...row })
    .onConflictDoUpdate({ target: lakePlaces.prefix, set: row, setWhere: eq(lakePlaces.generation, generation - 1) });
  const keys = files?.map(({ key }) => key) ?? null;
  const replaced = superseded.map(({ key }) => key);
  await tx.insert(lakeChanges).values({ model, prefix, generation, keys, replaced, actor, reason });
  if (keys !== null && keys.length > 0) await tx.delete(lakeUncounted).where(inArray(lakeUncounted.key, keys));
  for (const { key, etag, modifiedAt } of superseded) {
    const why = { why: 'superseded' as const, etag, modifiedAt, since: sql`now()` };
    await tx
      .insert(lakeUncounted)
      .values({ key, model, prefix, ...why })
      .onConflictDoUpdate({ target: lakeUncounted.key, set: why });
  }
  return generation;
}

export type UncountedRow = typeof lakeUncounted.$inferSelect;

/**
 * Objects that have not counted since `before`, the oldest first, and that no run can be reading: one that began while
 * they counted, and has not ended, may.
 */
export async function removableUncounted(
  db: Database,
  { before, limit }: { before: Date; limit: number },
): Promise<UncountedRow[]> {
  return db.orm
    .select()
    .from(lakeUncounted)
    .where(and(sql`${lakeUncounted.since} < ${before.toISOString()}::timestamptz`, nobodyReads))
    .orderBy(lakeUncounted.since)
    .limit(limit);
}

const nobodyReads: SQL = sql`not exists (select from runs
  where (runs.model = ${lakeUncounted.model} or ${lakeUncounted.model} = ${sharedOwner})
  and runs.finished_at is null
  and runs.started_at <= ${lakeUncounted.since})`;
