import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createRequestActivities } from '../../../activities/parse-workflow-inputs.js';
import { environmentFloor } from '../../../activities/promotion/environment-floor.js';
import { evidenceRequirements } from '../../../activities/promotion/evidence-requirements.js';
import { rulesInForce } from '../../../db/model/definition-queries.js';
import { mustHaveShadows } from '../../../db/rollout/rollout-facts.js';
import { versionOf } from '../../../db/model/version-queries.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { registerFirstVersion } from './registered-version.js';
import { startApi, type TestApi } from './start-api.js';

let running: TestApi;
let deps: Pick<ActivityDependencies, 'db' | 'store' | 'config'>;
beforeAll(async () => {
  running = await startApi();
  const { environments } = loadPerdureConfig({});
  const config = { home: running.uploadFolder, environments, floors: { configured: {}, file: undefined } };
  deps = { ...running, config: config as unknown as ActivityDependencies['config'] };
});
afterAll(() => running.close());

const everywhere = { environments: ['development', 'staging', 'production'] };
const sample = { environment: 'development', rows: 20_000, seed: 42 };
const why = "only versions of all of production's data leave development: train without --env development";

async function sampledVersion(promotion: object = everywhere): Promise<string> {
  const { model } = await registerFirstVersion(running, promotion);
  const text = JSON.stringify(sample);
  await running.db.sql`update runs set environment = 'development', sample = ${text}::jsonb where model = ${model}`;
  return model;
}

describe('a version that was trained on a sample of development', () => {
  test('is asked into development without a word, where it stays, and is refused elsewhere with the reason', async () => {
    const model = await sampledVersion();
    const parse = (input: object) => createRequestActivities(deps).parsePromoteRequest({ model, version: 1, ...input });
    expect(await parse({})).toMatchObject({ environment: 'development', stays: true });
    for (const environment of ['staging', 'production'])
      await expect(parse({ environment })).rejects.toMatchObject({
        code: 'promotion/refused',
        message: expect.stringContaining(why) as string,
      });
    const whole = (await registerFirstVersion(running, everywhere)).model;
    const asked = { model: whole, version: 1 };
    expect(await createRequestActivities(deps).parsePromoteRequest(asked)).toMatchObject({ stays: false });
  });

  test('is refused by the plan and at the effect, whatever the policy says', async () => {
    const model = await sampledVersion({ environments: ['production'] });
    expect((await running.api.promotionPlan(model, 1, 'production')).refused).toContain(why);
    const { stdout } = await running.perdure('promote', `${model}@1`, '--to', 'production', '--plan');
    expect(stdout).toContain(why);
    const { definition } = await rulesInForce(running.db, model);
    const { runId, snapshotSha256 } = await versionOf(running.db, model, 1);
    const refusedIn = (environment: string) =>
      environmentFloor(deps).whyRefused({ environment, definition, runId, snapshotSha256 });
    expect(await refusedIn('production')).toContain(why);
    expect(await refusedIn('staging')).toContain(why);
    expect(await refusedIn('development')).toBeNull();
  });

  test('does not shadow in another environment either', async () => {
    const model = await sampledVersion({ environments: ['production'] });
    const asked = { model, version: 9, alsoShadow: [1], strategy: 'shadow' };
    await expect(mustHaveShadows(running.db, { ...asked, environment: 'production' })).rejects.toThrow(why);
    await mustHaveShadows(running.db, { ...asked, environment: 'development' });
  });

  test('says so on its run', async () => {
    const model = await sampledVersion();
    const { runId } = await versionOf(running.db, model, 1);
    expect(await running.api.run(runId)).toMatchObject({
      environment: 'development',
      sample: { rows: 20_000, seed: 42 },
    });
    expect((await running.perdure('runs', 'show', runId)).stdout).toMatch(
      /development, a sample of at most 20000 rows/,
    );
    const whole = (await registerFirstVersion(running, {})).model;
    const other = (await versionOf(running.db, whole, 1)).runId;
    expect(await running.api.run(other)).toMatchObject({ environment: 'production', sample: null });
  });
});

test('what is promoted is the same bytes in every environment: other ones, before or in the store, are refused', async () => {
  const { model } = await registerFirstVersion(running, everywhere);
  const version = await versionOf(running.db, model, 1);
  const { mustBeTheSameBytes } = evidenceRequirements(deps);
  const before = (artifactSha256: string) => ({ environment: 'development', promotionId: 'p', artifactSha256 });
  await mustBeTheSameBytes(version, null);
  await mustBeTheSameBytes(version, before(version.artifactSha256));
  await expect(mustBeTheSameBytes(version, before('f'.repeat(64)))).rejects.toThrow(/but development has f{64}/);
  await running.store.put(objectKeys.artifact(version.artifactSha256), Buffer.from('another model'));
  await expect(mustBeTheSameBytes(version, null)).rejects.toMatchObject({ code: 'artifact/digest-mismatch' });
});
