import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { beforeAll, describe, expect, it } from 'vitest';
import { historyOf, recordings } from './histories.js';
import { scenarios } from './scenarios.js';

const workflowsPath = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'workflows', 'index.ts');
const recorded = recordings();
let options: ReplayWorkerOptions;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } } });
  options = { workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }) };
});

/** Replays histories, `name → error`; undefined where the present code does what the history says. */
async function replay(histories: { name: string; json: string }[]): Promise<Record<string, string | undefined>> {
  const found: Record<string, string | undefined> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories(
    options,
    histories.map(({ name, json }) => ({ workflowId: name, history: historyOf(json) })),
  )) {
    found[workflowId] = error?.message;
  }
  return found;
}

describe('recorded histories', () => {
  it('are there for every scenario', () => {
    const missing = Object.keys(scenarios).filter((name) => !recorded.some((one) => one.scenario === name));
    expect(missing, 'record them: node --import tsx test/replay/record.ts').toEqual([]);
  });

  it('have a scenario that says what they show', () => {
    expect(recorded.filter((one) => !(one.scenario in scenarios)).map((one) => one.file)).toEqual([]);
  });

  it('replay on the present code, whatever version made them', async () => {
    const found = await replay(recorded.map(({ file, json }) => ({ name: file, json })));
    expect(Object.keys(found).sort()).toEqual(recorded.map((one) => one.file));
    expect(Object.entries(found).filter(([, error]) => error !== undefined)).toEqual([]);
  });

  it('fail when the code would do something else than they say', async () => {
    const registered = recorded.find((one) => one.scenario === 'train-registered')?.json ?? '';
    const altered = registered.replace('"name": "registerRun"', '"name": "publishRun"');
    expect(altered).not.toBe(registered);
    const found = await replay([{ name: 'altered', json: altered }]);
    expect(found['altered']).toMatch(/nondeterminism|TMPRL1100/i);
  });
});
