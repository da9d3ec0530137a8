import { inArray, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Environment } from '../../domain/names.js';
import type { ServingTotals } from '../../domain/serving/serving-totals.js';
import {
  latencyBoundsMs,
  scoreBins,
  servingWindowSequence,
  type ServingRole,
  type ServingWindow,
} from '../../domain/serving/serving-window.js';
import type { Database } from '../connect.js';
import { servingMarks, servingWindows } from '../schema/index.js';

/** Held shared by who stores windows and alone by who rolls them up: between the two a window could be stored again. */
export const windowsLock = 7_432_002;

/** A statement has at most 65,534 parameters. */
const windowsInStatement = 2_000;

/** Stores what gateways counted; a window sent twice is stored once, also when the first one is rolled up by now. */
export async function insertServingWindows(db: Database, windows: readonly ServingWindow[]): Promise<void> {
  if (windows.length === 0) return;
  const rows = windows.map((window) => ({
    ...window,
    ...servingWindowSequence(window.id),
    from: new Date(window.from),
    to: new Date(window.to),
  }));
  await db.orm.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock_shared(${windowsLock})`);
    const sources = [...new Set(rows.map(({ source }) => source))];
    const marks = await tx.select().from(servingMarks).where(inArray(servingMarks.source, sources));
    const rolledUp = new Map(marks.map(({ source, number }) => [source, number]));
    const fresh = rows.filter(({ source, number }) => number > (rolledUp.get(source) ?? -1));
    for (let from = 0; from < fresh.length; from += windowsInStatement)
      await tx
        .insert(servingWindows)
        .values(fresh.slice(from, from + windowsInStatement))
        .onConflictDoNothing();
  });
}

export interface ServedSubject {
  environment: Environment;
  model: string;
  version: number;
  role: ServingRole;
  /** Both included. */
  epochFrom: number;
  epochTo: number;
}

/** `bigint` comes as text; as a number it is exact up to 2^53. */
const countSchema = z.coerce.number();
const totalsSchema = z
  .object({
    requests: countSchema.nullable(),
    errors: countSchema.nullable(),
    latency: z.array(countSchema).nullable(),
    scores: z.array(countSchema).nullable(),
  })
  .transform(({ requests, errors, latency, scores }): ServingTotals => ({
    requests: requests ?? 0,
    errors: errors ?? 0,
    latency: latency ?? zeros(latencyBoundsMs.length + 1),
    scores: scores ?? zeros(scoreBins),
  }));
const zeros = (length: number) => new Array<number>(length).fill(0);

/**
 * What a version answered under one epoch or several, and how many requests came just after a load. Costs the same
 * however long it served.
 */
export async function servedUnder(
  db: Database,
  { environment, model, version, role, epochFrom, epochTo }: ServedSubject,
): Promise<{ totals: ServingTotals; cold: number }> {
  const served = db.sql`
    environment = ${environment} and model = ${model} and version = ${version}
    and epoch between ${epochFrom} and ${epochTo} and role = ${role}`;
  const [row] = await db.sql`
    select sum(requests) filter (where not cold)::bigint as requests,
    sum(errors) filter (where not cold)::bigint as errors,
      perdure_sum_counts(latency) filter (where not cold) as latency,
      perdure_sum_counts(scores) filter (where not cold) as scores,
      coalesce(sum(requests) filter (where cold), 0)::bigint as cold
    from (
      select cold, requests, errors, latency, scores from serving_totals where ${served}
      union all select cold, requests, errors, latency, scores from serving_windows where ${served}
    ) counted`;
  return { totals: totalsSchema.parse(row), cold: countSchema.parse(row?.['cold']) };
}

/**
 * What a version answered in the last stretch in which it served under these epochs, to the minute and by the gateways'
 * clocks: what a gateway whose clock is wrong counted is compared with itself.
 */
export async function servedLast(
  db: Database,
  { environment, model, version, role, epochFrom, epochTo }: ServedSubject,
  seconds: number,
): Promise<ServingTotals> {
  const served = db.sql`
    environment = ${environment} and model = ${model} and version = ${version}
    and epoch between ${epochFrom} and ${epochTo} and role = ${role} and not cold`;
  const [row] = await db.sql`
    with newest as (
      select date_trunc('minute', max("to") - make_interval(secs => ${seconds}), 'UTC') as since from (
        select "to" from serving_totals where ${served} union all select "to" from serving_windows where ${served}
      ) counted
    )
    select sum(requests)::bigint as requests, sum(errors)::bigint as errors, perdure_sum_counts(latency) as latency,
    perdure_sum_counts(scores) as scores
    from (
      select requests, errors, latency, scores from serving_rollups
      where ${served} and grain in ('minute', 'hour', 'day') and bucket >= (select since from newest)
      union all select requests, errors, latency, scores from serving_windows where ${served}
      and "to" >= (select since from newest)
    ) counted`;
  return totalsSchema.parse(row);
}

const lateSchema = z
  .object({ version: countSchema, cold: z.boolean(), from: z.coerce.date(), to: z.coerce.date() })
  .and(totalsSchema);
export type RecentlyServed = z.infer<typeof lateSchema>;

/** What the split gave each version of a model in the last minutes, by the gateways' clocks. */
export async function servedRecently(
  db: Database,
  { environment, model, minutes }: { environment: Environment; model: string; minutes: number },
): Promise<RecentlyServed[]> {
  const since = db.sql`date_trunc('minute', now() - make_interval(mins => ${minutes}), 'UTC')`;
  const served = db.sql`environment = ${environment} and model = ${model} and role = 'split'`;
  const rows = await db.sql`
    select version, cold, min("from") as "from", max("to") as "to", sum(requests)::bigint as requests,
    sum(errors)::bigint as errors,
      perdure_sum_counts(latency) as latency, perdure_sum_counts(scores) as scores
    from (
      select version, cold, "from", "to", requests, errors, latency, scores from serving_rollups
      where ${served} and grain = 'minute' and bucket >= ${since}
      union all select version, cold, "from", "to", requests, errors, latency, scores from serving_windows
      where ${served} and "to" >= ${since}
    ) counted
    group by version, cold`;
  return rows.map((row) => lateSchema.parse(row));
}

/**
 * Requests that a model's versions had in an environment as far back as they are kept, as its gateways counted them.
 */
export async function servedTraffic(
  db: Database,
  model: string,
  environment: Environment,
): Promise<{ version: number; requests: number; errors: number }[]> {
  const served = db.sql`environment = ${environment} and model = ${model}`;
  const rows = await db.sql`
    select version, sum(requests)::bigint as requests, sum(errors)::bigint as errors
    from (
      select version, requests, errors from serving_totals where ${served}
      union all select version, requests, errors from serving_windows where ${served}
    ) counted
    group by version order by version`;
  return z.array(z.object({ version: countSchema, requests: countSchema, errors: countSchema })).parse([...rows]);
}
