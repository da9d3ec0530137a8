import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { listModels } from '../../../db/model/model-lists.js';
import { allPages, type Page, type PageRequest } from '../../../db/page.js';
import { listPromotions } from '../../../db/promotion/promotion-lists.js';
import { listQuarantined } from '../../../db/data/quarantine-lists.js';
import { listRollouts } from '../../../db/rollout/rollout-lists.js';
import { listRouteHistory, listRoutes } from '../../../db/serving/route-lists.js';
import { listRuns } from '../../../db/training/run-lists.js';
import { listVersions } from '../../../db/model/version-lists.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { definitionDigest } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const models = ['a', 'b', 'c'].map((name) => parseModelDefinition({ ...flightDelay, name }));
const perModel = 40;

let database: TestDatabase;
let db: Database;

/**
 * Rows of which many share a millisecond, and some a microsecond: what a cursor that is cut to milliseconds loses or
 * repeats.
 */
beforeAll(async () => {
  database = await createTestDatabase();
  db = connectDatabase(database.url);
  for (const model of models) await applyDefinition(db, model, 'test');
  const at = db.sql`timestamptz '2026-01-01' + make_interval(secs => (n / 2) * 0.0000013)`;
  const many = db.sql`from unnest(${models.map(({ name }) => name)}::text[]) m(model), generate_series(1,
    ${perModel}::int) n`;
  await db.sql`insert into runs (id, workflow_id, model, definition_sha256, cause, started_at)
    select model || lpad(n::text, 3, '0'), 'train', model, (select definition_sha256 from models
    where name = model), '{"kind":"person"}', ${at} ${many}`;
  await db.sql`insert into versions (model, version, run_id, definition_sha256, snapshot_sha256, artifact_sha256,
    artifact_key, signature, metrics, gates, evaluation_key, lineage)
    select model, n, model || lpad(n::text, 3, '0'), '', '', '', '', '{}', '{}', '[]', '', '{}' ${many}`;
  await db.sql`insert into promotions (id, workflow_id, model, version, environment, requested_by, state, requested_at)
    select model || lpad(n::text, 3, '0'), 'promote', model, n, 'production', 'x', 'rejected', ${at} ${many}`;
  await db.sql`insert into rollouts (id, workflow_id, environment, model, challenger, state, step, started_at)
    select model || lpad(n::text, 3, '0'), 'rollout', 'production', model, n, 'completed', 0, ${at} ${many}`;
  await db.sql`insert into routes (environment, model, epoch, idempotency_key, split, reason, lease_token)
    select 'production', model, n, model || n, '[{"version": 1, "sharePct": 100}]', 'test', 1 ${many}`;
  await db.sql`insert into current_routes (environment, model, epoch, revision)
    select 'production', name, ${perModel}, 1 from models`;
  await db.sql`insert into partitions (model, partition, inputs_sha256, state, report_key, summary, rows, positives,
    validated_at)
    select model, '2026-01', n::text, 'quarantined', '', '', 1, 1, ${at} ${many}`;
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

const lists: [string, (page: PageRequest) => Promise<Page<object>>, rows: number][] = [
  ['models', (page) => listModels(db, page), models.length],
  ['versions of a model', (page) => listVersions(db, 'b', page), perModel],
  ['runs', (page) => listRuns(db, page), models.length * perModel],
  ['runs of a model', (page) => listRuns(db, { model: 'b', ...page }), perModel],
  ['promotions', (page) => listPromotions(db, page), models.length * perModel],
  [
    'promotions of an environment',
    (page) => listPromotions(db, { environment: 'production', ...page }),
    models.length * perModel,
  ],
  ['rollouts', (page) => listRollouts(db, page), models.length * perModel],
  ['routes', (page) => listRoutes(db, page), models.length],
  ['routes of a model in the past', (page) => listRouteHistory(db, { model: 'b', ...page }), perModel],
  ['quarantine', (page) => listQuarantined(db, { decided: false, ...page }), models.length * perModel],
];

describe.each(lists)('the list of %s', (_, list, rows) => {
  it('page after page gives each row once, in the order of the whole', async () => {
    const whole = await list({ limit: 500 });
    expect(whole.items).toHaveLength(rows);
    expect(whole.next).toBeNull();
    for (const limit of [1, 7, rows]) expect(await allPages((after) => list({ limit, after }))).toEqual(whole.items);
  });

  it('refuses a place that is none of it', async () => {
    const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const after of [
      'nonsense',
      cursor([]),
      cursor([{}, 'a', 'b', 'c']),
      cursor([null]),
      cursor([null, null]),
      cursor(null),
    ])
      await expect(list({ limit: 5, after })).rejects.toMatchObject({ code: 'input/invalid' });
  });
});

it('a place whose time is none is refused before the database sees it', async () => {
  const after = Buffer.from('["yesterday","a"]').toString('base64url');
  await expect(listRuns(db, { limit: 5, after })).rejects.toMatchObject({ code: 'input/invalid' });
});

it('what was written later does not move the pages that follow', async () => {
  const first = await listRuns(db, { limit: 10, model: 'c' });
  await db.sql`insert into runs (id, workflow_id, model, definition_sha256, cause)
    values ('new', 'train', 'c', ${definitionDigest(models[2] ?? flightDelay)}, '{"kind":"person"}')`;
  const second = await listRuns(db, { limit: 10, model: 'c', after: first.next ?? '' });
  expect(second.items.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, at) => `c0${30 - at}`));
});

it('versions that are put away are left out where that is asked for, and the page is full all the same', async () => {
  const archive = (version: number, archived: boolean) =>
    db.sql`insert into version_archivals (model, version, archived, actor, reason)
      values ('a', ${version}, ${archived}, 'x', 'y')`;
  for (const version of [40, 39, 38]) await archive(version, true);
  await archive(39, false);
  const { items } = await listVersions(db, 'a', { unarchived: true, limit: 3 });
  expect(items.map(({ version }) => version)).toEqual([39, 37, 36]);
});
