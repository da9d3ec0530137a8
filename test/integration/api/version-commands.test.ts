import { loadPerdureConfig } from '../../../perdure.config.js';
import { createHash } from 'node:crypto';
import { access, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActivityDependencies } from '../../../activities/dependencies.js';
import { createRequestActivities } from '../../../activities/parse-workflow-inputs.js';
import { definitionInForce } from '../../../db/model/definition-queries.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { registerFirstVersion, registerRunAndVersion } from './registered-version.js';
import { startApi, type TestApi } from './start-api.js';

let running: TestApi;
let model: string;
beforeAll(async () => {
  running = await startApi();
  ({ model } = await registerFirstVersion(running, {}));
});
afterAll(() => running.close());

const sums = async (folder: string) =>
  Promise.all(
    (await readFile(path.join(folder, 'SHA256SUMS'), 'utf8'))
      .trim()
      .split('\n')
      .map(async (line) => {
        const [sum, name = ''] = line.split('  ');
        const found = createHash('sha256').update(await readFile(path.join(folder, name)));
        return { name, fits: found.digest('hex') === sum };
      }),
  );

test('a version is exported whole, each file as its sum says, or not at all', async () => {
  const folder = path.join(running.uploadFolder, 'exported');
  const exported = await running.perdure('versions', 'export', `${model}@1`, '--out', folder, '--json');
  expect(exported).toMatchObject({ code: 0 });
  expect((await readdir(folder)).toSorted()).toEqual(
    [
      'SHA256SUMS',
      'card.json',
      'card.md',
      'definition.json',
      'evaluation.json',
      'model.onnx',
      'version.json',
    ].toSorted(),
  );
  expect((await sums(folder)).filter(({ fits }) => !fits)).toEqual([]);
  expect(await running.perdure('versions', 'export', `${model}@1`, '--out', folder)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('already exists'),
  });

  const { artifactKey } = await running.api.version(model, 1);
  const whole = await running.store.get(artifactKey);
  await running.store.put(artifactKey, Buffer.from('something else'));
  const other = path.join(running.uploadFolder, 'other');
  expect(await running.perdure('versions', 'export', `${model}@1`, '--out', other)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`${objectKeys.artifact(createHash('sha256').update(whole).digest('hex'))}`),
  });
  await expect(access(other)).rejects.toThrow();
  await running.store.put(artifactKey, whole);
});

test('an archived version leaves lists and promotions until it is brought back, and says who put it away', async () => {
  const { definition } = await definitionInForce(running.db, model);
  await registerRunAndVersion(running, definition, 2, (await running.api.version(model, 1)).artifactSha256);
  const archived = await running.perdure('versions', 'archive', `${model}@2`, '--reason', 'a bad month', '--json');
  expect(JSON.parse(archived.stdout)).toMatchObject({
    version: 2,
    archived: { actor: 'ada@example.org', reason: 'a bad month' },
  });
  expect((await running.perdure('versions', 'ls', model)).stdout).not.toContain(`${model}@2`);
  expect((await running.perdure('versions', 'ls', model, '--all')).stdout).toContain(`${model}@2`);
  const config = { environments: loadPerdureConfig({}).environments } as unknown as ActivityDependencies['config'];
  const ask = () => createRequestActivities({ ...running, config }).parsePromoteRequest({ model, version: 2 });
  await expect(ask()).rejects.toThrow(`${model}@2 is archived (ada@example.org: a bad month)`);
  await running.perdure('versions', 'unarchive', `${model}@2`, '--reason', 'wanted again');
  await expect(ask()).resolves.toMatchObject({ version: 2 });
});

test('versions stand side by side, with what differs in their definitions', async () => {
  const compared = await running.perdure('versions', 'compare', `${model}@1`, `${model}@2`);
  expect(compared.stdout).toMatch(/rocAuc\s+0\.9276\s+0\.9276/);
  expect(compared.stdout).toContain('Their definitions are the same.');
  expect(await running.perdure('versions', 'compare', `${model}@1`, 'other@1')).toMatchObject({ code: 2 });
});

test('models are listed with what they serve; one is shown with its definition', async () => {
  expect((await running.perdure('models', 'ls')).stdout).toMatch(new RegExp(`${model}\\s+\\S+\\s+\\d`));
  const shown = JSON.parse((await running.perdure('models', 'show', model, '--json')).stdout);
  expect(shown).toMatchObject({
    name: model,
    definition: { name: model, contract: { features: {} } },
    openPromotions: [],
  });
  expect(await running.perdure('models', 'show', 'nobody')).toMatchObject({
    code: 6,
    stderr: expect.stringContaining(model),
  });
});
