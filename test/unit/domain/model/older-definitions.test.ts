import { describe, expect, it } from 'vitest';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { inWordsOfToday } from '../../../../domain/model/older-definitions.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const { judge: _judge, ...rollout } = flightDelay.rollout as Extract<typeof flightDelay.rollout, { judge: unknown }>;
const judgedBy = (judge: object) => parseModelDefinition({ ...flightDelay, rollout: { ...rollout, judge } }).rollout;

describe('the judge of a definition of version 0.1.0', () => {
  it('keeps its margins, its alpha and its limit, with harms above them', () => {
    const old = {
      errorShareMarginPct: 3,
      latencyLimitMs: 250,
      slowShareMarginPct: 30,
      scoreDistanceMax: 0.2,
      alpha: 0.01,
    };
    expect(judgedBy(old)).toMatchObject({
      judge: {
        alpha: 0.01,
        metrics: [
          { metric: 'errorShare', marginPct: 3, harmPct: 10 },
          { metric: 'slowShare', limitMs: 250, marginPct: 30, harmPct: 65 },
          { metric: 'scoreDistance', margin: 0.2, harm: 0.6 },
        ],
      },
    });
  });

  it.each([
    [{ errorShareMarginPct: 100, slowShareMarginPct: 100, scoreDistanceMax: 1 }],
    [{ errorShareMarginPct: 0.001 }],
    [{ scoreDistanceMax: 0.6 }],
    [{ latencyLimitMs: 1 }],
  ])('is read whatever it accepted: %j', (old) => {
    expect(judgedBy(old)).toMatchObject({ judge: { metrics: [{}, {}, {}] } });
  });

  it('is refused where its words stand beside those of today, or are wrong', () => {
    const metrics = [{ metric: 'errorShare' }];
    expect(() => judgedBy({ errorShareMarginPct: 3, metrics })).toThrow(/rollout.judge: Unrecognized key/);
    expect(() => judgedBy({ errorShareMarginPct: 'many' })).toThrow(/rollout.judge.metrics\[0\].marginPct/);
  });
});

it.each([null, 'text', [], { rollout: null }, { rollout: { judge: null } }, flightDelay])(
  'what is in words of today, or is no definition, stays as it is',
  (value) => {
    expect(inWordsOfToday(value)).toBe(value);
  },
);
