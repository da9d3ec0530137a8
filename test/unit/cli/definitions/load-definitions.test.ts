import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { importDefinitions } from '../../../../cli/definitions/import-definitions.js';
import { loadDefinitions } from '../../../../cli/definitions/load-definitions.js';

const root = path.join(import.meta.dirname, '../../../..');
let project = '';

vi.setConfig({ testTimeout: 60_000 }); // Each loads in a process of its own.

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
    expect(loaded.map(({ file, definition }) => [file, definition.name])).toContainEqual([
      'models/flight-delay/model.ts',
      'flight-delay',
    ]);
  });

  test('a folder without models is an empty list', async () => {
    await mkdir(path.join(project, 'bare', 'models'), { recursive: true });
    expect(await loadDefinitions(path.join(project, 'bare'))).toEqual([]);
  });

  test.each([
    ['throws', `throw new Error('no luck');`, /models\/throws\/model\.ts: it cannot be loaded: no luck/],
    ['nothing', `export const model = 1;`, /models\/nothing\/model\.ts: it has no default export/],
    [
      'other',
      `${flights}export default flights;`,
      /models\/other\/model\.ts: the definition is named flight-delay, but its folder other/,
    ],
    ['number', `export default 7;`, /models\/number\/model\.ts: The definition of model without a name/],
    [
      'gate',
      `${flights}export default { ...flights, evaluation: { ...flights.evaluation, gates: [{ name: 'x', ` +
        `metric: 'auc', atLeast: 1 }] } };`,
      /models\/gate\/model\.ts:[^]*evaluation\.gates\[0\]\.metric/,
    ],
    ['exit', `process.exit(0);`, /models\/exit\/model\.ts: it ended the process .*exit code 0.*process\.exit/],
    [
      'exits-later',
      `${flights}setImmediate(() => process.exit(0)); await new Promise(() => {});`,
      /models\/exits-later\/model\.ts: it ended the process/,
    ],
    ['abort', `process.abort();`, /models\/abort\/model\.ts: it ended the process .*SIGABRT/],
    [
      'rejects',
      `${flights}void Promise.reject(new Error('no catch'));\nexport default flights;`,
      /models\/rejects\/model\.ts: it cannot be loaded: no catch/,
    ],
    ['waits', `await new Promise(() => {});`, /models\/waits\/model\.ts: it ended the process/],
    ['typo', `${flights}export default { ...flights, trainning: {} };`, /models\/typo\/model\.ts:[^]*trainning/],
    [
      'cron',
      `${flights}export default { ...flights, triggers: { schedules: [{ name: 'often', cron: '61 * * * *', ` +
        `timeZone: 'UTC', paused: false }] } };`,
      /models\/cron\/model\.ts: triggers\.schedules often/,
    ],
  ])('a model.ts that is wrong (%s) is refused with its file and the path', async (name, source, message) => {
    await expect(loadWith(name, source)).rejects.toMatchObject({
      code: 'definition/invalid',
      message: expect.stringMatching(message) as string,
      details: { file: `models/${name}/model.ts` },
    });
  });

  test('a model.ts that loops for ever is given up and named', async () => {
    const file = 'models/loops/model.ts';
    await mkdir(path.join(project, 'loops', 'models', 'loops'), { recursive: true });
    await writeFile(path.join(project, 'loops', file), 'for (;;);');
    await expect(importDefinitions(path.join(project, 'loops'), [file], { patienceMs: 1_500 })).rejects.toMatchObject({
      message: expect.stringContaining(`${file}: it was not loaded within 1.5 s`) as string,
      details: { file },
    });
  });

  test('what a model.ts prints is no part of the result', async () => {
    const own = path.join(project, 'prints');
    await mkdir(path.join(own, 'models', 'flight-delay'), { recursive: true });
    await writeFile(
      path.join(own, 'models', 'flight-delay', 'model.ts'),
      `${flights}console.log('noise on stdout');\nexport default flights;`,
    );
    const load =
      `import { loadDefinitions } from ` +
      `${JSON.stringify(path.join(root, 'cli/definitions/load-definitions.ts'))};
      process.stdout.write(JSON.stringify((await loadDefinitions(${JSON.stringify(own)})).map(({ definition }) =>
      definition.name)));`;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', load],
      {
        cwd: root,
      },
    );
    expect(JSON.parse(stdout)).toEqual(['flight-delay']);
    expect(stderr).toContain('noise on stdout');
  });
});
