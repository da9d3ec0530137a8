import type postgres from 'postgres';
import { grainKeptMs } from '../../domain/serving/retention.js';
import { latencyOf, scoresOf } from './results.js';
import { stagesOfCanary } from './copy-lives.js';
import type { GrowthShape } from './shape.js';

/**
 * What gateways counted, rolled up as retention leaves it: the last days by the minute, the last weeks by the hour,
 * what is older by the day; and the totals of each version under each epoch. Needs `growth_lives` in this session.
 */
export async function fillServing(sql: postgres.Sql, shape: GrowthShape): Promise<void> {
  const at = (time: number) => `timestamptz '${new Date(time).toISOString()}'`;
  const [from, to] = [shape.from.getTime(), shape.to.getTime()];
  const stretches = [
    ['day', from, to - grainKeptMs.hour, 24 * 60],
    ['hour', Math.max(from, to - grainKeptMs.hour), to - grainKeptMs.minute, 60],
    ['minute', Math.max(from, to - grainKeptMs.minute), to, 1],
  ] as const;
  for (const [grain, since, until, minutes] of stretches) {
    if (since >= until) continue;
    const share = `extract(epoch from (bucket - ${at(from)})) / ${(to - from) / 1000}`;
    const version = `greatest(1, least(${shape.versions}, ceil(${share} * ${shape.versions} - 0.5)))::int`;
    const requests = Math.max(1, Math.round((shape.perDay * minutes) / 1440));
    await sql.unsafe(`insert into serving_rollups
        (environment, model, version, epoch, grain, bucket, "from", "to", requests, errors, latency, scores)
      select environment, model, version, 1 + ${stagesOfCanary} * (version - 1), '${grain}', bucket, bucket,
      bucket + interval '${minutes} minutes', ${counts(requests)}
      from (
        select environment, model, bucket, ${version} as version
        from (select distinct model from growth_lives) models, ${environmentsOf(shape)},
          generate_series(date_trunc('${grain}', ${at(since)}, 'UTC'), ${at(until)} - interval '${minutes} minutes',
          interval '${minutes} minutes') bucket
      ) served`);
  }
  await sql.unsafe(`insert into serving_totals (environment, model, version, epoch, "from", "to", requests, errors,
    latency, scores)
    select environment, model, version, epoch, at, at + interval '1 day', ${counts(shape.perDay)}
    from growth_lives, ${environmentsOf(shape)},
      generate_series(case version when 1 then 1 else ${stagesOfCanary} * version - ${2 * stagesOfCanary - 2}
      end, 1 + ${stagesOfCanary} * (version - 1)) epoch`);
}

const environmentsOf = ({ environments }: GrowthShape) =>
  `(values ${environments.map((environment) => `('${environment}')`).join(', ')}) environments (environment)`;

const counts = (requests: number): string =>
  `${requests}, 0, array[${latencyOf(requests).join(', ')}]::bigint[], ` +
  `array[${scoresOf(requests).join(', ')}]::bigint[]`;
