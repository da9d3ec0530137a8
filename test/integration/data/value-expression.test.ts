import { describe, expect, test } from 'vitest';
import { checkValueMetrics } from '../../../adapters/data-engine/value-expression.js';
import { parseModelDefinition, type ModelDefinition } from '../../../domain/model-definition.js';
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

describe('the expression of a value metric', () => {
  test.each(['temp * probability', `CASE WHEN carrier = 'UA' THEN latency_ms ELSE 0 END`, 'label', 'prediction.probability > 0.5', '1'])(
    'may be %s',
    async (from) => {
      await expect(checkValueMetrics(judging(from))).resolves.toBeUndefined();
    },
  );

  test.each([
    ['temperature', 'temperature is not a declared column'],
    ['avg(temp)', 'avg'],
    ['random()', 'random'],
    ['(SELECT 1)', 'not allowed'],
    ['carrier', 'it gives VARCHAR; it must give a number'],
    ['temp; DROP TABLE x', 'syntax error'],
    ['temp + carrier_name', 'carrier_name'],
    ['sqrt(carrier)', 'sqrt'],
  ])('that is %s is refused with its field', async (from, reason) => {
    await expect(checkValueMetrics(judging(from))).rejects.toMatchObject({
      code: 'definition/invalid',
      message: expect.stringContaining(reason) as string,
      details: { problems: [{ path: 'rollout.judge.metrics[1].from' }] },
    });
  });

  test('is checked for an outcome as well', async () => {
    const rollout = { strategy: 'ab' as const, outcome: value('nothing') };
    const definition = parseModelDefinition({ ...flightDelay, rollout });
    await expect(checkValueMetrics(definition)).rejects.toMatchObject({ details: { problems: [{ path: 'rollout.outcome.from' }] } });
  });

  test('may not name what is a feature and a column of the prediction log', async () => {
    const { contract, ...others } = judging('Latency_MS');
    const features = { ...contract.features, Latency_MS: { type: 'number' as const, from: 'temp' } };
    await expect(checkValueMetrics(parseModelDefinition({ ...others, contract: { ...contract, features } }))).rejects.toThrow(
      'Latency_MS is a feature as well',
    );
  });
});
