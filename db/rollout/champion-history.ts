import { and, eq, lt, lte } from 'drizzle-orm';
import { z } from 'zod';
import {
  championHistory,
  noHistory,
  type ChampionHistory,
  type SetBack,
} from '../../domain/rollout/champion-history.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { championRecords } from '../schema/index.js';
import { routesFrom } from '../serving/route-queries.js';
import { rolloutOutcomes } from './rollout-queries.js';

interface Place {
  environment: Environment;
  model: string;
}

const pageSize = 50;
const newestEpoch = 2 ** 31 - 1;

/**
 * Who served by right in an environment and who was taken back, now or up to an epoch. A kept record says it of the
 * routes up to one; three pages are read after it, however many routes there are. The record stays a page behind, so
 * that it also serves who asks how things stood a moment ago; whoever asks about an epoch of before it reads all.
 */
export async function championPast(
  db: Database,
  { environment, model }: Place,
  until = newestEpoch,
): Promise<ChampionHistory> {
  const place = { environment, model };
  const kept = await keptRecord(db, place, until);
  /** The history at the end of each page, while all rollouts up to there are over: what they say is final. */
  const final = [kept];
  let past = kept;
  for (let more = true, allOver = true; more;) {
    const page = await routesFrom(db, { ...place, from: (past.last?.epoch ?? 0) + 1, until }, pageSize);
    const rollouts = await rolloutOutcomes(db, [
      ...new Set(page.flatMap(({ writtenBy }) => writtenBy?.rolloutId ?? [])),
    ]);
    past = championHistory(page, rollouts, past);
    more = page.length === pageSize;
    allOver &&= rollouts.every(({ over }) => over);
    if (more && allOver) final.push(past);
    if (final.length > 3) final.splice(1, final.length - 3);
  }
  const keep = final.at(-2);
  if (keep !== undefined && keep !== kept) await keepRecord(db, place, keep);
  return past;
}

/**
 * When and why a version was taken back in an environment, and has not been brought in by a rollout since; null where
 * it was not.
 */
export async function setBackOf(
  db: Database,
  { version, ...place }: Place & { version: number },
): Promise<SetBack | null> {
  return (await championPast(db, place)).setBack.get(version) ?? null;
}

/** What a rollback is planned by: the history up to the epoch that it leaves, where that decides, and all of it. */
export async function pastOfRollback(
  db: Database,
  { to, leaves, ...place }: Place & { to: number | null; leaves: number | null },
): Promise<[leaving: ChampionHistory, now: ChampionHistory]> {
  const now = await championPast(db, place);
  if (to !== null || leaves === null || now.last === undefined || now.last.epoch <= leaves) return [now, now];
  return [await championPast(db, place, leaves), now];
}

/** A record of other rules is none: it is made anew. */
const recordSchema = z.object({
  rules: z.literal(1),
  line: z.array(z.number()),
  servedWhole: z.array(z.number()),
  setBack: z.array(z.tuple([z.number(), z.object({ epoch: z.number(), at: z.string(), reason: z.string() })])),
});

const ofPlace = ({ environment, model }: Place) =>
  and(eq(championRecords.environment, environment), eq(championRecords.model, model));

async function keptRecord(db: Database, place: Place, until: number): Promise<ChampionHistory> {
  const [row] = await db.orm
    .select()
    .from(championRecords)
    .where(and(ofPlace(place), lte(championRecords.epoch, until)));
  const record = recordSchema.safeParse(row?.record).data;
  if (row === undefined || record === undefined) return noHistory;
  const [last] = await routesFrom(db, { ...place, from: row.epoch, until: row.epoch }, 1);
  const { line, servedWhole, setBack } = record;
  return { line, servedWhole: new Set(servedWhole), setBack: new Map(setBack), last };
}

async function keepRecord(
  db: Database,
  place: Place,
  { line, servedWhole, setBack, last }: ChampionHistory,
): Promise<void> {
  if (last === undefined) return;
  const kept: z.input<typeof recordSchema> = {
    ...{ rules: 1, line },
    servedWhole: [...servedWhole],
    setBack: [...setBack],
  };
  const row = { epoch: last.epoch, record: kept, at: new Date() };
  await db.orm
    .insert(championRecords)
    .values({ ...place, ...row })
    .onConflictDoUpdate({
      target: [championRecords.environment, championRecords.model],
      set: row,
      setWhere: lt(championRecords.epoch, last.epoch),
    });
}
