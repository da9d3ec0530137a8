import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recordPartition, rememberLakeObjects } from '../../../db/data/partition-queries.js';
import { definitionInForce } from '../../../db/model/definition-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { partitionInputsDigest, shapeDigest } from '../../../domain/data/snapshot/snapshot-shape.js';
import { registerModel } from './registered-model.js';
import { metrics } from './registered-version.js';
import { startApi, type TestApi } from './start-api.js';

let running: TestApi;
let known: Awaited<ReturnType<typeof registerModel>>;
beforeAll(async () => {
  running = await startApi();
  known = await registerModel(running);
});
afterAll(() => running.close());

describe('runs and versions', () => {
  test('a list is newest first, with data, cause and where each is served', async () => {
    const { items: versions } = await running.api.versions(known.model);
    expect(versions.map((one) => one.version)).toEqual([2, 1]);
    expect(versions[0]).toMatchObject({
      cause: { kind: 'data', id: '2013-03' },
      trainedOn: { from: '2013-01', to: '2013-03', rows: 52796 },
      metrics,
      serving: [{ environment: 'production', sharePct: 5 }],
    });
    expect(versions[1]?.serving).toEqual([{ environment: 'production', sharePct: 95 }]);
  });

  test('a version has its signature, gates, lineage and the slices of its evaluation', async () => {
    const version = await running.api.version(known.model, 2);
    expect(version.signature.inputs[0]?.name).toBe('carrier');
    expect(version.gates).toMatchObject([{ name: 'ranks delays', outcome: 'pass', reason: '0.9276 is at least 0.8' }]);
    expect(version.lineage).toMatchObject({ runId: version.runId, libraries: { lightgbm: '4.7.0' } });
    expect(version.evaluation?.slices[0]).toMatchObject({ feature: 'origin', level: 'JFK' });
  });

  test('the card is there as Markdown and as JSON, and `versions show` prints it', async () => {
    expect(await running.api.card(known.model, 1, 'md')).toContain('A card.');
    expect(JSON.parse(await running.api.card(known.model, 1, 'json'))).toEqual({ model: known.model, version: 1 });
    expect((await running.perdure('versions', 'show', known.model)).stdout).toContain(`# ${known.model}@2`);
    expect((await running.perdure('versions', 'show', `${known.model}@1`, '--format', 'table')).stdout).toMatch(
      /origin = JFK\s+8000\s+0\.9100/,
    );
  });

  test('a version or model that is not there is named with those that are', async () => {
    expect(await running.perdure('versions', 'show', `${known.model}@3`)).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('Versions: 1, 2'),
    });
    expect(await running.perdure('versions', 'ls', 'nobody')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining(known.model),
    });
  });

  test('a run shows its steps with what they made, and the version that it registered', async () => {
    const {
      items: [newest],
    } = await running.api.runs({ model: known.model });
    expect(newest).toMatchObject({ outcome: 'registered', version: 2, step: 'register' });
    const run = await running.api.run(newest?.id ?? '');
    expect(run.steps).toMatchObject([
      { step: 'snapshot', summary: '52796 rows' },
      { step: 'register', summary: `${known.model}@2` },
    ]);
    expect((await running.perdure('runs', 'show', run.id)).stdout).toMatch(/snapshot.*52796 rows/);
    expect(await running.perdure('runs', 'show', 'nope')).toMatchObject({ code: 6 });
  });
});

describe('routes', () => {
  test('what is served now, what was served then, and all of it', async () => {
    const [first, second] = known.routes;
    const at = (iso: string | undefined) => running.api.routesOf(known.model, { environment: 'production', at: iso });
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    expect(await running.api.routesOf(known.model)).toEqual([second]);
    expect(await at(second?.at), 'the very time that the route names').toEqual([second]);
    expect(await at(minutesAgo(30))).toEqual([first]);
    expect(await at(first?.at)).toEqual([first]);
    expect(await at(minutesAgo(90))).toEqual([]);
    expect((await running.api.routeHistory(known.model)).items).toEqual([second, first]);
  });

  test('`routes show --at` before anything was served ends with 6', async () => {
    expect(await running.perdure('routes', 'show', known.model, '--at', '1d ago')).toMatchObject({ code: 6 });
    expect((await running.perdure('routes', 'show', known.model)).stdout).toMatch(/version 1: 95 %, version 2: 5 %/);
    expect((await running.perdure('routes', 'show', known.model, '--at', '30m ago')).stdout).toMatch(
      /version 1: 100 %/,
    );
    expect((await running.perdure('routes', 'ls')).stdout).toContain(known.model);
  });

  test('gateways are listed with the epochs that they serve', async () => {
    const [gateway] = (await running.api.gateways()).items.filter((one) => one.id === `gateway-${known.model}`);
    expect(gateway).toMatchObject({
      live: true,
      environment: 'production',
      routes: [{ model: known.model, epoch: 2, error: null }],
    });
  });
});

describe('promotions', () => {
  test.each([
    ['its id', () => known.promotionId],
    ["its workflow's id", () => `promote/${known.model}/2/production`],
    ['MODEL@N', () => `${known.model}@2`],
  ])('a promotion is found by %s, with evidence, requirement and every decision', async (_, name) => {
    const { code, stdout } = await running.perdure('promotions', 'show', name(), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      id: known.promotionId,
      evidenceSha256: known.evidenceSha256,
      evidence: { champion: 1, metrics },
      requirement: { approvalsNeeded: 1, approvalsCounted: 0, roles: ['approver'], standing: 'waiting' },
      decisions: [{ actor: 'eve', counted: false }],
    });
  });

  test('a person sees both versions side by side and what to type', async () => {
    const { stdout } = await running.perdure('promotions', 'show', `${known.model}@2`);
    expect(stdout).toMatch(/rocAuc\s+0\.9276\s+0\.9000/);
    expect(stdout).toContain(`perdure approve ${known.model}@2 --comment TEXT`);
  });

  test('open ones can be listed alone', async () => {
    expect((await running.api.promotions({ open: true })).items.map((one) => one.id)).toEqual([known.promotionId]);
    expect((await running.api.promotions({ environment: 'staging' })).items).toEqual([]);
  });

  test('one that is not there ends with 6', async () => {
    expect(await running.perdure('promotions', 'show', `${known.model}@2`, '--env', 'staging')).toMatchObject({
      code: 6,
    });
    expect(await running.perdure('promotions', 'show', 'nope')).toMatchObject({ code: 6 });
  });
});

describe('the plan of a promotion', () => {
  test('of what is champion already says so, and shows no stages of an empty environment', async () => {
    const plan = await running.api.promotionPlan(known.model, 1, 'production');
    expect(plan).toMatchObject({
      champion: 1,
      stages: [],
      approvals: { automatic: null },
      conflicts: expect.arrayContaining([expect.stringContaining('is already champion in production')]),
    });
    const { stdout } = await running.perdure('promote', `${known.model}@1`, '--to', 'production', '--plan');
    expect(stdout).toContain('nothing would change');
    expect(stdout).not.toContain('first version');
  });

  test('takes further shadows into account, and refuses them where the strategy has none', async () => {
    const asked = await running.perdure(
      'promote',
      `${known.model}@2`,
      '--to',
      'production',
      '--also-shadow',
      '1',
      '--plan',
    );
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('which has no shadows') });
  });
});

test('a rollout shows its looks and what it waits for', async () => {
  const { stdout } = await running.perdure('rollout', 'status', known.model);
  expect(stdout).toMatch(/version 1 → version 2/);
  expect(stdout).toContain('12 of 300 requests');
  expect(await running.api.rollout(known.rolloutId)).toMatchObject({ lastWord: null, awaitsLabels: null });
  expect((await running.api.rollout(known.rolloutId)).looks).toMatchObject([{ look: 1, verdict: 'no-data' }]);
});

describe('quarantine', () => {
  /** Puts a file and records what a run would have said of it. */
  const quarantine = async (partition: string, inputs: string, fileKey: string | null) => {
    const key = `${objectKeys.lakePartition(known.model, 'flights', partition)}a.parquet`;
    await running.store.put(key, inputs);
    const [object] = await running.store.list(key);
    const sha256 = digestOf(inputs);
    await rememberLakeObjects(running.db, [{ key, etag: object?.etag ?? '', sha256 }]);
    const { definition } = await definitionInForce(running.db, known.model);
    const objects = [{ table: 'flights', sha256 }];
    await recordPartition(running.db, {
      model: known.model,
      partition,
      inputsSha256: partitionInputsDigest({ shapeSha256: shapeDigest(definition), objects }),
      state: 'quarantined',
      reportKey: `reports/${partition}.json`,
      summary: '3 rows are twice there',
      fileKey,
      rows: 10,
      positives: 1,
    });
  };

  test('a quarantined partition is listed, its report shown, and released with who and why', async () => {
    await quarantine('2013-04', 'a', 'snapshots/x.parquet');
    await running.store.put('reports/2013-04.json', JSON.stringify({ issues: [{ rule: 'duplicate-key' }] }));
    expect((await running.perdure('quarantine', 'ls')).stdout).toContain('3 rows are twice there');
    expect((await running.perdure('quarantine', 'show', known.model, '2013-04')).stdout).toContain('duplicate-key');
    const released = await running.perdure(
      'quarantine',
      'release',
      known.model,
      '2013-04',
      '--comment',
      'checked',
      '--json',
    );
    expect(JSON.parse(released.stdout)).toMatchObject({
      state: 'released',
      decidedBy: 'ada@example.org',
      comment: 'checked',
    });
    expect((await running.perdure('quarantine', 'ls')).stdout).toContain('Nothing is in quarantine.');
    expect(await running.perdure('quarantine', 'release', known.model, '2013-04', '--comment', 'again')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('released already'),
    });
  });

  test('one whose rows could not be read can only be discarded', async () => {
    await quarantine('2013-05', 'b', null);
    expect(await running.perdure('quarantine', 'release', known.model, '2013-05', '--comment', 'x')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('corrected file'),
    });
    expect(await running.perdure('quarantine', 'discard', known.model, '2013-05', '--comment', 'x')).toMatchObject({
      code: 0,
    });
    expect((await running.api.quarantine({ all: true })).items).toMatchObject([
      { partition: '2013-05', state: 'discarded' },
      { partition: '2013-04' },
    ]);
  });
});
