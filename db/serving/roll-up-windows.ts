import type postgres from 'postgres';
import { grainKeptMs, windowKeptSeconds } from '../../domain/serving/retention.js';
import type { ServingGrain } from '../../domain/serving/serving-window.js';
import type { Database } from '../connect.js';
import { windowsLock } from './serving-windows.js';

/** Rows a transaction: gateways wait for it when they hand over windows, well below the time that they wait at most. */
const batchMax = 2_000;

const sums = `min("from") as "from", max("to") as "to", sum(requests)::bigint as requests,
  sum(errors)::bigint as errors,
  perdure_sum_counts(latency) as latency, perdure_sum_counts(scores) as scores`;
const subject = 'environment, model, version, epoch, role, cold';
const counts = '"from", "to", requests, errors, latency, scores';

const addTo = (
  table: string,
) => `do update set "from" = least(${table}."from", excluded."from"), "to" = greatest(${table}."to", excluded."to"),
  requests = ${table}.requests + excluded.requests, errors = ${table}.errors + excluded.errors,
  latency = perdure_add_counts(${table}.latency, excluded.latency),
  scores = perdure_add_counts(${table}.scores, excluded.scores)`;

/** Puts rows of `taken` into the rows of a grain. */
const intoGrain = (grain: ServingGrain, time: string) => `
  insert into serving_rollups (${subject}, grain, bucket, ${counts})
  select ${subject}, '${grain}', date_trunc('${grain}', ${time}, 'UTC') as bucket, ${sums} from taken
  group by ${subject}, bucket
  on conflict (environment, model, grain, bucket, version, epoch, role, cold) ${addTo('serving_rollups')}`;

/**
 * Rolls windows up into minutes and totals. Taking them and adding them is one transaction, so that each counts once
 * whenever this is repeated or dies; one that comes late is added to its minute.
 * @returns how many, and whether there may be more
 */
export async function rollUpWindows(
  db: Database,
  keptSeconds = windowKeptSeconds,
): Promise<{ rolledUp: number; more: boolean }> {
  const rolledUp = await alone(db, async (tx) => {
    const [row] = await tx<{ count: number }[]>`
      with taken as (
        delete from serving_windows where id in (
          select id from serving_windows where received_at <= now() - make_interval(secs => ${keptSeconds})
          order by received_at limit ${batchMax})
        returning *
      ), minutes as (${tx.unsafe(intoGrain('minute', '"to"'))}
      ), totals as (
        insert into serving_totals (${tx.unsafe(subject)}, ${tx.unsafe(counts)})
        select ${tx.unsafe(subject)}, ${tx.unsafe(sums)} from taken group by ${tx.unsafe(subject)}
        on conflict (environment, model, version, epoch, role, cold) ${tx.unsafe(addTo('serving_totals'))}
      ), marks as (
        insert into serving_marks (source, number) select source, max(number) from taken group by source
        on conflict (source) do update set number = greatest(serving_marks.number, excluded.number), at = now()
      )
      select count(*)::int as count from taken`;
    return row?.count ?? 0;
  });
  return { rolledUp, more: rolledUp === batchMax };
}

/**
 * Rolls minutes up into hours, or hours into days, when they are old. Of the champion of an open rollout the last two
 * hours stay in minutes: at full share the challenger is compared with the last one, which may begin within an hour.
 */
export async function rollUpGrain(db: Database, from: 'minute' | 'hour'): Promise<{ rolledUp: number; more: boolean }> {
  const to = from === 'minute' ? 'hour' : 'day';
  const seconds = grainKeptMs[from] / 1000;
  const rolledUp = await alone(db, async (tx) => {
    const [row] = await tx<{ count: number }[]>`
      with taken as (
        delete from serving_rollups where ctid = any(array(
          select old.ctid from serving_rollups old
          where grain = ${from} and bucket < date_trunc(${to}, now() - make_interval(secs => ${seconds}), 'UTC')
            and not exists (
              select from rollouts open
              where open.finished_at is null and open.environment = old.environment and open.model = old.model
              and open.champion = old.version
                and old.bucket >= (
                  select max("to") from serving_totals newest
                  where newest.environment = old.environment and newest.model = old.model
                  and newest.version = old.version and newest.role = old.role
                ) - interval '2 hours')
          order by bucket limit ${batchMax}))
        returning *
      ), added as (${tx.unsafe(intoGrain(to, 'bucket'))}
      )
      select count(*)::int as count from taken`;
    return row?.count ?? 0;
  });
  return { rolledUp, more: rolledUp === batchMax };
}

/** One at a time, and while nobody stores windows. */
function alone<T>(db: Database, work: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
  return db.sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${windowsLock})`;
    return work(tx);
  }) as Promise<T>;
}
