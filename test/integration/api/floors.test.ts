import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { environmentFloor } from '../../../activities/promotion/environment-floor.js';
import { recordPartition, snapshotByDigest } from '../../../db/data/partition-queries.js';
import { rulesInForce } from '../../../db/model/definition-queries.js';
import { versionOf } from '../../../db/model/version-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { floorsSchema } from '../../../domain/promotion/floor.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { registerFirstVersion } from './registered-version.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

const floors = floorsSchema.parse({
  staging: { approvals: { count: 3 }, gates: [{ metric: 'rocAuc', atLeast: 0.99 }] },
  production: { newestHoldout: true, strategies: ['canary', 'ab'] },
});

let running: TestApi;
beforeAll(async () => {
  running = await startApi({ floors });
});
afterAll(() => running.close());

describe('the plan of a promotion', () => {
  test('refuses a version that was tested on a month picked with --until and older than the newest, in the words of the effect', async () => {
    const { db, store } = running;
    const { model } = await registerFirstVersion(running, {});
    const { definition } = await rulesInForce(db, model);
    const { runId, snapshotSha256 } = await versionOf(db, model, 1);
    const { watermark } = await snapshotByDigest(db, snapshotSha256);
    const refusal = async () => (await running.api.promotionPlan(model, 1, 'production')).refused;
    const put = (partition: string) =>
      store.put(`${objectKeys.lakeTable(model, definition.data.base)}month=${partition}/part.parquet`, 'x');
    await put(watermark);
    await put('2013-11');
    expect(await refusal()).toBeNull();

    await db.sql`update runs set until = ${watermark} where id = ${runId}`;
    const named = `it was tested on ${watermark}, chosen with --until, but 2013-11 is available`;
    expect(await refusal()).toContain(named);
    const config = { floors: { configured: floors, file: undefined } };
    const atTheEffect = environmentFloor({ db, store, config } as unknown as ActivityDependencies);
    expect(await refusal()).toBe(
      await atTheEffect.whyRefused({ environment: 'production', definition, runId, snapshotSha256 }),
    );
    expect((await running.perdure('promote', `${model}@1`, '--to', 'production', '--plan')).stdout).toContain(named);

    const report = { reportKey: 'reports/2013-11.json', summary: '3 rows are twice there', rows: 10, positives: 1 };
    await recordPartition(db, {
      model,
      partition: '2013-11',
      inputsSha256: digestOf('x'),
      state: 'quarantined',
      ...report,
    });
    expect(await refusal()).toBeNull();
  });
});

describe('a plan of what is applied', () => {
  test('names what falls below the floor of each environment that a definition promotes to, and of no other', async () => {
    const { promotion } = ownDefinition();
    const into = (environments: ('staging' | 'production')[]) => ({
      promotion: { ...promotion, environments },
      rollout: { strategy: 'direct', reason: 'hurry' } as never,
    });
    const [both, production] = [ownDefinition(into(['staging', 'production'])), ownDefinition(into(['production']))];
    const { applied, definitions } = await running.api.apply({
      definitions: [both, production],
      plan: true,
      actor: 'ada@example.org',
    });
    expect(applied).toBe(false);
    const found = new Map(definitions.map(({ model, belowFloor }) => [model, belowFloor]));
    const inProduction = { environment: 'production', problem: 'rollout.strategy: direct, canary, ab are allowed' };
    expect(found.get(production.name)).toEqual([inProduction]);
    expect(found.get(both.name)).toEqual([
      {
        environment: 'staging',
        problem: expect.stringContaining('evaluation.gates: a gate on rocAuc over all rows is required, at least 0.99'),
      },
      { environment: 'staging', problem: expect.stringMatching(/^promotion\.approvals: \d, at least 3 are required$/) },
      inProduction,
    ]);
    const kept = await running.api.apply({
      definitions: [ownDefinition({ promotion: { ...promotion, environments: ['production'] } })],
      plan: true,
      actor: 'ada@example.org',
    });
    expect(kept.definitions[0]).not.toHaveProperty('belowFloor');
  });

  test('says so on the command line, with model, environment and place', async () => {
    const { code, stdout } = await running.perdure('apply', '--plan');
    expect(code).toBe(0);
    expect(stdout).toContain('Below the environment’s floor: no version of these models is promoted there.');
    expect(stdout).toMatch(/repeat-purchase\s.*staging\s.*evaluation\.gates: a gate on rocAuc/);
  });
});
