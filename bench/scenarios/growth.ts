import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { createObjectStore } from '../../adapters/object-store/object-store.js';
import { connectTemporal } from '../../client/connect.js';
import { createApiClient } from '../../client/http/api-client.js';
import { connectDatabase } from '../../db/connect.js';
import { loadPerdureConfig } from '../../perdure.config.js';
import { loadTemporalConfig } from '../../temporal.config.js';
import type { Figure } from '../figures/figure.js';
import { growthDefinitions } from '../growth/definitions.js';
import { putCards, putServedArtifacts } from '../growth/fill-bucket.js';
import { fillLogs } from '../growth/fill-logs.js';
import { fillDatabase } from '../growth/fill-database.js';
import { startGrowthStack, type GrowthServers, type GrowthStack } from '../growth/growth-stack.js';
import { measureLists } from '../growth/measure-lists.js';
import { measureServing } from '../growth/measure-serving.js';
import { measureSpace } from '../growth/measure-space.js';
import { openWork } from '../growth/open-work.js';
import { growthShape, type GrowthShape } from '../growth/shape.js';
import type { StandaloneScenario } from '../scenario.js';
import { trainedModel } from '../trained-model.js';
import { addressOf } from '../../infra/embedded/stack-environment.js';

const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
const name = 'growth';

/**
 * Fills a stack of its own as many models would in many months, and measures what people and gateways then wait for.
 */
export const growthScenario: StandaloneScenario = {
  name,
  title: 'lists, plans, looks, polls and passports after a year of a hundred models; ends with 1 where one is too slow',
  async *run(options, note) {
    const shape = growthShape(options, new Date());
    const { models, versions, months } = shape;
    note(`${models} models × ${versions} versions × ${shape.environments.length} gateways × ${months} months`);
    const modelFile = await trainedModel(projectRoot, path.join(projectRoot, '.perdure-bench'), '2013-01', '2013-02');
    const home = await mkdtemp(path.join(tmpdir(), 'perdure-growth-'));
    const step = stopwatch(note);
    note(`servers, then the whole stack, in ${home}`);
    let prediction = '';
    const stack = await startGrowthStack(projectRoot, home, async (servers) => {
      prediction = await fill(servers, shape, modelFile, step);
    });
    try {
      yield* measureAll(stack, shape, prediction, step);
    } finally {
      await stack.stop();
      if (!options.keep) await rm(home, { recursive: true, force: true });
    }
  },
};

type Step = ReturnType<typeof stopwatch>;

function openStore(env: NodeJS.ProcessEnv) {
  const { s3 } = loadPerdureConfig(env);
  const { endpoint = '', accessKeyId = '', secretAccessKey = '' } = s3;
  return createObjectStore({ ...s3, endpoint, accessKeyId, secretAccessKey });
}

async function fill(
  { url, ownerUrl, env }: GrowthServers,
  shape: GrowthShape,
  modelFile: string,
  step: Step,
): Promise<string> {
  const store = openStore(env);
  try {
    const artifacts = await step('artifacts that are served', () => putServedArtifacts(store, shape, modelFile));
    await step('the database', () => fillDatabase({ url, ownerUrl }, store, shape, artifacts));
    await step('model cards', () => putCards(store, shape));
    return await step('prediction logs', () => fillLogs(store, shape));
  } finally {
    store.close();
  }
}

async function* measureAll(
  stack: GrowthStack,
  shape: GrowthShape,
  prediction: string,
  step: Step,
): AsyncGenerator<Figure, void, void> {
  const { addresses, env } = stack.file;
  const shell = { ...stack.env, ...env };
  const store = openStore(shell);
  const sql = postgres(addresses.migrationDatabaseUrl ?? addresses.databaseUrl, { max: 1, onnotice: () => undefined });
  const db = connectDatabase(addresses.databaseUrl);
  const temporal = await connectTemporal(loadTemporalConfig(shell));
  try {
    await step('gateways load what is served', () => untilServed(addressOf(addresses.gateways, 'production'), shape));
    await step('schedules', () => applyAll(addresses.api, shape));
    const open = await step('what is going on', () => openWork(sql, temporal.client, shape));
    yield* await step('plans, looks, polls', () =>
      measureServing({ stack, shape, db, store, temporal, open, prediction }),
    );
    yield* await step('lists and commands', () => measureLists(stack, shape, open.rollout.rolloutId, open.promotion));
    yield* await step('disk and memory', () => measureSpace(stack, db));
    await open.end();
  } finally {
    await Promise.all([sql.end({ timeout: 5 }), db.close(), temporal.close()]);
    store.close();
  }
}

function stopwatch(note: (line: string) => void) {
  return async <Result>(what: string, work: () => Promise<Result>): Promise<Result> => {
    const began = performance.now();
    const result = await work();
    note(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    return result;
  };
}

/** By the API, which makes the schedules too. */
async function applyAll(apiUrl: string, shape: GrowthShape): Promise<void> {
  const definitions = growthDefinitions(shape);
  const api = createApiClient(apiUrl);
  const atOnce = 25;
  for (let from = 0; from < definitions.length; from += atOnce)
    await api.apply({ definitions: definitions.slice(from, from + atOnce), actor: 'ada@example.org' });
}

const servedWithinMs = 300_000;

/** Every model that has a route answers. */
async function untilServed(gateway: string, shape: GrowthShape): Promise<void> {
  const until = performance.now() + servedWithinMs;
  for (;;) {
    const response = await fetch(`${gateway}/v2/repository/index`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    const index = (await response.json()) as { state?: string }[];
    if (index.filter(({ state }) => state === 'READY').length >= shape.models) return;
    if (performance.now() > until)
      throw new Error(`the gateway did not serve ${shape.models} models within ${servedWithinMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
