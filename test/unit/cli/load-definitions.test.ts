import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadDefinitions } from '../../../cli/load-definitions.js';

const root = path.join(import.meta.dirname, '../../..');
let project = '';

/** Below the checkout, so that the files find its modules. */
beforeAll(async () => {
  await mkdir(path.join(root, '.perdure'), { recursive: true });
  project = await mkdtemp(path.join(root, '.perdure', 'test-models-'));
});
afterAll(() => rm(project, { recursive: true, force: true }));

async function loadWith(name: string, source: string) {
  const own = path.join(project, name);
  await mkdir(path.join(own, 'models', name), { recursive: true });
  await writeFile(path.join(own, 'models', name, 'model.ts'), source);
  return loadDefinitions(own);
}

const flights = `import flights from ${JSON.stringify(path.join(root, 'models/flight-delay/model.ts'))};\n`;

describe('models of the checkout', () => {
  test('the example model is found and valid', async () => {
    const loaded = await loadDefinitions(root);
    expect(loaded.map(({ file, definition }) => [file, definition.name])).toContainEqual(['models/flight-delay/model.ts', 'flight-delay']);
  });

  test('a folder without models is an empty list', async () => {
    await mkdir(path.join(project, 'bare', 'models'), { recursive: true });
    expect(await loadDefinitions(path.join(project, 'bare'))).toEqual([]);
  });

  test.each([
    ['throws', `throw new Error('no luck');`, /models\/throws\/model\.ts: it cannot be loaded: no luck/],
    ['nothing', `export const model = 1;`, /models\/nothing\/model\.ts: it has no default export/],
    ['number', `export default 7;`, /models\/number\/model\.ts: The definition of model without a name/],
    [
      'gate',
      `${flights}export default { ...flights, evaluation: { ...flights.evaluation, gates: [{ name: 'x', metric: 'auc', atLeast: 1 }] } };`,
      /models\/gate\/model\.ts:[^]*evaluation\.gates\[0\]\.metric/,
    ],
    ['typo', `${flights}export default { ...flights, trainning: {} };`, /models\/typo\/model\.ts:[^]*trainning/],
    [
      'cron',
      `${flights}export default { ...flights, triggers: { schedules: [{ name: 'often', cron: '61 * * * *', timeZone: 'UTC', paused: false }] } };`,
      /models\/cron\/model\.ts: triggers\.schedules often/,
    ],
  ])('a model.ts that is wrong (%s) is refused with its file and the path', async (name, source, message) => {
    await expect(loadWith(name, source)).rejects.toThrow(message);
    await expect(loadWith(name, source)).rejects.toMatchObject({
      code: 'definition/invalid',
      details: { file: `models/${name}/model.ts` },
    });
  });
});
