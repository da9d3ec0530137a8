import type postgres from 'postgres';
import * as schema from '../../db/schema/index.js';
import { keptDays } from '../../domain/serving/retention.js';
import { copyRows } from './copy-rows.js';
import type { GrowthShape } from './shape.js';

/** Epochs of a version after the first: one a stage of its canary. */
export const stagesOfCanary = 3;

/**
 * Copies what the first model left behind to every version of every model, and takes the first model away. In SQL, in
 * the session of the tables' owner. A life is a version of a model: the first version of a model lives as the first of
 * the first model did, every other as its second.
 */
export async function copyLives(
  sql: postgres.Sql,
  shape: GrowthShape,
  first: string,
  artifacts: ReadonlyMap<string, string>,
): Promise<void> {
  const [from, to] = [shape.from, shape.to].map((time) => `timestamptz '${time.toISOString()}'`);
  const served = [...artifacts].map(([model, sha256]) => `('${model}', '${sha256}')`).join(', ');
  const own = sha(`'artifact' || known.name || '@' || version`);
  await sql.unsafe(`create temporary table growth_lives as
    select known.name as model, version, least(version, 2) as pattern, known.definition_sha256,
      ${from} + (version - 0.5) / ${shape.versions} * (${to} - ${from}) as at,
      coalesce(case when version = ${shape.versions} then served.sha256 end, ${own}) as artifact_sha256
    from models known cross join generate_series(1, ${shape.versions}) version
    left join (values ${served}) served (model, sha256) on served.model = known.name
    where known.name <> '${first}'`);
  await sql`analyze growth_lives`;
  await copyTraining(sql, first);
  await copyPromotions(sql, first);
  await copyRollouts(sql, first);
  await copyRest(sql, shape, first);
  await takeAway(sql, first);
}

const sha = (text: string) => `encode(sha256(convert_to(${text}, 'utf8')), 'hex')`;
const lifeSha = (what: string) => sha(`'${what}' || l.model || '@' || l.version`);
/** Ids of the first life end with its model and version. */
const idLike = (column: string, first: string) =>
  `replace(${column}, '${first}-' || l.pattern, l.model || '-' || l.version)`;
const ofModel = (column: string, first: string) => `replace(${column}, '${first}', l.model)`;
const later = (minutes: number) => `l.at + interval '${minutes} minutes'`;

async function copyTraining(sql: postgres.Sql, first: string): Promise<void> {
  const run = `'run-' || l.model || '-' || l.version`;
  const ofRun = `join growth_lives l on s.id = 'run-${first}-' || l.pattern`;
  await copyRows(
    sql,
    schema.snapshots,
    `join versions v on v.snapshot_sha256 = s.sha256 and v.model = '${first}' join growth_lives l on ` +
      'v.version = l.pattern',
    {
      sha256: lifeSha('snapshot'),
      model: 'l.model',
      manifest_key: `'snapshots/' || l.model || '/manifests/' || ${lifeSha('snapshot')} || '.json'`,
      manifest: `jsonb_set(s.manifest, '{model}', to_jsonb(l.model))`,
      created_at: later(1),
    },
  );
  await copyRows(sql, schema.runs, ofRun, {
    id: run,
    workflow_id: `'train/' || l.model || '/schedule-monthly-' || l.version`,
    model: 'l.model',
    definition_sha256: 'l.definition_sha256',
    started_at: 'l.at',
    finished_at: later(10),
    snapshot_sha256: lifeSha('snapshot'),
    artifact_sha256: 'l.artifact_sha256',
  });
  await copyRows(sql, schema.runSteps, `join growth_lives l on s.run_id = 'run-${first}-' || l.pattern`, {
    run_id: run,
    started_at: later(2),
    finished_at: later(9),
  });
  await copyRows(sql, schema.versions, `join growth_lives l on s.model = '${first}' and s.version = l.pattern`, {
    model: 'l.model',
    version: 'l.version',
    run_id: run,
    definition_sha256: 'l.definition_sha256',
    snapshot_sha256: lifeSha('snapshot'),
    artifact_sha256: 'l.artifact_sha256',
    artifact_key: `'artifacts/' || l.artifact_sha256 || '.onnx'`,
    lineage:
      `s.lineage || jsonb_build_object('runId', ${run}, 'snapshotSha256', ${lifeSha('snapshot')}, ` +
      `'definitionSha256', l.definition_sha256)`,
    created_at: later(10),
  });
}

async function copyPromotions(sql: postgres.Sql, first: string): Promise<void> {
  await copyRows(sql, schema.promotions, `join growth_lives l on s.model = '${first}' and s.version = l.pattern`, {
    id: idLike('s.id', first),
    workflow_id: `'promote/' || l.model || '/' || l.version || '/' || s.environment`,
    model: 'l.model',
    version: 'l.version',
    evidence: `s.evidence || jsonb_build_object('model', l.model, 'version', l.version, 'champion',
      nullif(l.version - 1, 0), 'artifactSha256', l.artifact_sha256,
      'definitionSha256', l.definition_sha256, 'snapshotSha256', ${lifeSha('snapshot')})`,
    requested_at: later(20),
    closed_at: later(120),
  });
  await copyRows(
    sql,
    schema.promotionDecisions,
    `join promotions p on p.id = s.promotion_id join growth_lives l on p.model = '${first}' and p.version = l.pattern`,
    {
      promotion_id: idLike('s.promotion_id', first),
      at: later(60),
    },
  );
}

async function copyRollouts(sql: postgres.Sql, first: string): Promise<void> {
  await copyRows(sql, schema.rollouts, `join growth_lives l on s.model = '${first}' and s.challenger = l.pattern`, {
    id: idLike('s.id', first),
    workflow_id: `'rollout/' || s.environment || '/' || l.model`,
    model: 'l.model',
    challenger: 'l.version',
    champion: 'nullif(l.version - 1, 0)',
    promotion_id: idLike('s.promotion_id', first),
    settled:
      `jsonb_set(s.settled, '{parties}', s.settled -> 'parties' || jsonb_build_object('challenger', ` +
      `l.version, 'champion', nullif(l.version - 1, 0)))`,
    started_at: later(61),
    finished_at: later(119),
    looks_thinned_at: `case when l.at < now() - interval '${keptDays.lookInputs} days' then l.at end`,
  });
  await copyRows(
    sql,
    schema.rolloutLooks,
    `join rollouts r on r.id = s.rollout_id join growth_lives l on r.model = '${first}' and r.challenger = l.pattern`,
    {
      rollout_id: idLike('s.rollout_id', first),
      at: `l.at + make_interval(mins => 62 + s.look)`,
    },
  );
  // Of long ago, only telling looks are left: the first and the last of each stage, in lives without a change of mind.
  await copyRows(
    sql,
    schema.lookInputs,
    `join rollouts r on r.id = s.rollout_id join growth_lives l on r.model = '${first}' and r.challenger = l.pattern
      where l.at > now() - interval '${keptDays.lookInputs} days' or s.look in (
        select unnest(array[min(look), max(look)]) from rollout_looks where rollout_id = s.rollout_id group by step)`,
    { rollout_id: idLike('s.rollout_id', first) },
  );
  // Version 1 wrote epoch 1, version 2 those of its canary; so does each version after it.
  const moved = `(l.version - l.pattern)`;
  const renumbered = `(select jsonb_agg(jsonb_set(part, '{version}', to_jsonb((part ->> 'version')::int + ${moved}))
    order by place)
    from jsonb_array_elements(s.split) with ordinality parts (part, place))`;
  await copyRows(
    sql,
    schema.routes,
    `join growth_lives l on s.model = '${first}' and (s.epoch = 1) = (l.pattern = 1)`,
    {
      model: 'l.model',
      epoch: `s.epoch + ${stagesOfCanary} * ${moved}`,
      idempotency_key: idLike('s.idempotency_key', first),
      split: renumbered,
      standby:
        `(select coalesce(jsonb_agg(standing.number::int + ${moved}), '[]') from ` +
        'jsonb_array_elements_text(s.standby) standing (number))',
      reason: `replace(s.reason, '${first}@' || l.pattern, l.model || '@' || l.version)`,
      rollout_id: idLike('s.rollout_id', first),
      at: `l.at + make_interval(mins => 62 + 10 * s.epoch)`,
    },
  );
}

/** What there is once a model, whatever its versions. */
async function copyRest(sql: postgres.Sql, shape: GrowthShape, first: string): Promise<void> {
  const eachModel = `join growth_lives l on l.version = ${shape.versions} and`;
  await copyRows(sql, schema.partitions, `${eachModel} s.model = '${first}'`, {
    model: 'l.model',
    validated_at: `least(to_timestamp(s.partition || '-01', 'YYYY-MM-DD') + interval '1 month', now())`,
  });
  await copyRows(sql, schema.watermarks, `${eachModel} s.model = '${first}'`, {
    model: 'l.model',
    run_id: `'run-' || l.model || '-' || l.version`,
  });
  await copyRows(sql, schema.leases, `${eachModel} s.name like '%/${first}'`, {
    name: ofModel('s.name', first),
    holder: idLike('s.holder', first),
  });
  await copyRows(sql, schema.gatewayAcknowledgements, `${eachModel} s.model = '${first}'`, {
    model: 'l.model',
    epoch: `1 + ${stagesOfCanary} * (l.version - 1)`,
  });
  await sql.unsafe(`insert into current_routes (environment, model, epoch, revision)
    select environment, model, max(epoch),
      (select max(revision) from route_revisions) + row_number() over (order by model, environment)
    from routes where model <> '${first}' group by environment, model`);
  await sql`update route_revisions set revision = (select max(revision) from current_routes)`;
  await sql`insert into version_archivals (model, version, archived, actor, reason, at)
    select model, version, true, 'ada@example.org', 'nobody serves it any more', at from growth_lives
    where version % 10 = 5`;
}

/** The first model lives on in its copies alone. */
async function takeAway(sql: postgres.Sql, first: string): Promise<void> {
  const ofThe = (table: string) => `(select id from ${table} where model = '${first}')`;
  await sql.unsafe(`delete from look_inputs where rollout_id in ${ofThe('rollouts')}`);
  await sql.unsafe(`delete from rollout_looks where rollout_id in ${ofThe('rollouts')}`);
  await sql.unsafe(`delete from promotion_decisions where promotion_id in ${ofThe('promotions')}`);
  await sql.unsafe(`delete from run_steps where run_id in ${ofThe('runs')}`);
  await sql.unsafe(`delete from leases where name like '%/${first}'`);
  for (const table of await tablesByModel(sql)) await sql.unsafe(`delete from "${table}" where model = '${first}'`);
  await sql`delete from models where name = ${first}`;
  await sql`delete from definitions where model = ${first}`;
}

/** Those that name a model, what refers to others first. */
async function tablesByModel(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ table_name: string }[]>`
    select table_name from information_schema.columns where table_schema = 'public' and column_name = 'model'
    and table_name <> 'definitions'
    order by case table_name when 'versions' then 1 when 'runs' then 2 when 'snapshots' then 3 else 0 end`;
  return rows.map((row) => row.table_name);
}
