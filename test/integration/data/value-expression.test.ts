import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDuckSession, type DuckSession } from '../../../adapters/data-engine/duck-session.js';
import { valueMetricProblems } from '../../../adapters/data-engine/expressions/value-expression.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';

const judging = (from: string): ModelDefinition =>
  parseModelDefinition({
    ...flightDelay,
    rollout: {
      strategy: 'ab',
      judge: { metrics: [{ metric: 'errorShare' }, value(from)] },
      outcome: { metric: 'outcome', direction: 'higher-is-better' },
    },
  });
const value = (from: string) => ({
  ...{ metric: 'value', name: 'cost', from, min: 0, max: 100 },
  ...{ direction: 'lower-is-better', margin: 1, harm: 5 },
});

let folder: string;
let session: DuckSession;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-value-'));
  session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 128 });
});
afterAll(async () => {
  session.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the expression of a value metric', () => {
  test.each([
    'temp * probability',
    `CASE WHEN carrier = 'UA' THEN latency_ms ELSE 0 END`,
    'label',
    'prediction.probability > 0.5',
    '1',
  ])('may be %s', async (from) => {
    expect(await valueMetricProblems(session, judging(from))).toEqual([]);
  });

  test.each([
    ['temperature', 'temperature is not a declared column'],
    ['avg(temp)', 'avg'],
    ['random()', 'random'],
    ['(SELECT 1)', 'not allowed'],
    ["length(lpad('a', 2000000000, 'b'))", 'lpad'],
    ['epoch(now())', 'now'],
    ['carrier', 'it gives VARCHAR; it must give a number'],
    ['temp; DROP TABLE x', 'syntax error'],
    ['temp + carrier_name', 'carrier_name'],
    ['sqrt(carrier)', 'sqrt'],
  ])('that is %s is refused with its field', async (from, reason) => {
    const problems = await valueMetricProblems(session, judging(from));
    expect(problems).toEqual([
      { path: 'rollout.judge.metrics[1].from', message: expect.stringContaining(reason) as string },
    ]);
  });

  test('is checked for an outcome as well', async () => {
    const rollout = { strategy: 'ab' as const, outcome: value('nothing') };
    const definition = parseModelDefinition({ ...flightDelay, rollout });
    expect(await valueMetricProblems(session, definition)).toMatchObject([{ path: 'rollout.outcome.from' }]);
  });

  test('may not name what is a feature and a column of the prediction log', async () => {
    const { contract, ...others } = judging('Latency_MS');
    const features = { ...contract.features, Latency_MS: { type: 'number' as const, from: 'temp' } };
    const twofold = parseModelDefinition({ ...others, contract: { ...contract, features } });
    const [problem] = await valueMetricProblems(session, twofold);
    expect(problem?.message).toContain('Latency_MS is both a feature');
  });
});
