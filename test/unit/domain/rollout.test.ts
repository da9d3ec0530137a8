import { describe, expect, it } from 'vitest';
import { rolloutPolicySchema } from '../../../domain/rollout-policy.js';
import { lookAfterSeconds, looksMax, moveAfterLook, splitOf } from '../../../domain/rollout.js';

const policyWith = (more: object = {}) =>
  rolloutPolicySchema.parse({ strategy: 'canary', steps: [{ sharePct: 5, minSeconds: 10, maxSeconds: 60 }, { sharePct: 100 }], ...more });
const policy = policyWith();
const step = { sharePct: 5, minRequests: 200, minSeconds: 10, maxSeconds: 60 };

describe('the move after a look', () => {
  it.each([
    ['pass', 9.9, 'look-again'],
    ['pass', 10, 'next-step'],
    ['fail', 0, 'roll-back'],
    ['fail', 1000, 'roll-back'],
    ['no-data', 59, 'look-again'],
    ['no-data', 60, 'pause'],
    ['inconclusive', 59, 'look-again'],
    ['inconclusive', 60, 'pause'],
  ] as const)('after %s at %s s is %s', (verdict, elapsedSeconds, move) => {
    expect(moveAfterLook(policy, step, { verdict, elapsedSeconds })).toBe(move);
  });

  it('of a step that ends inconclusive is what the policy says; no data never advances under any', () => {
    const late = { verdict: 'inconclusive', elapsedSeconds: 61 } as const;
    expect(moveAfterLook(policyWith({ onInconclusive: 'extend' }), step, late)).toBe('look-again');
    expect(moveAfterLook(policyWith({ onInconclusive: 'rollback' }), step, late)).toBe('roll-back');
    for (const onInconclusive of ['pause', 'extend', 'rollback']) {
      expect(moveAfterLook(policyWith({ onInconclusive }), step, { verdict: 'no-data', elapsedSeconds: 1e6 })).toBe('pause');
    }
  });
});

describe('looks', () => {
  it('come after the policy’s seconds, and after a quarter of the time passed once that is longer', () => {
    expect(lookAfterSeconds(policy, 0)).toBe(5);
    expect(lookAfterSeconds(policy, 20)).toBe(5);
    expect(lookAfterSeconds(policy, 100)).toBe(25);
  });

  it('are counted before a step begins', () => {
    // 5, 10, 15, 20, 25, 31.25, 39.06, 48.83, 61.04 seconds: the ninth is the first at or after 60.
    expect(looksMax(policy, step)).toBe(9);
    expect(looksMax(policy, { ...step, maxSeconds: 5 })).toBe(1);
    expect(looksMax(policy, { ...step, maxSeconds: 5.001 })).toBe(2);
  });

  it('are counted over thirty days where a step may be extended', () => {
    // python3 -c "t=n=0
    // while t < 30*86400: t += max(5, t/4); n += 1
    // print(n)"
    expect(looksMax(policyWith({ onInconclusive: 'extend' }), step)).toBe(57);
  });
});

describe('a split', () => {
  it('names the champion first and adds up to 100', () => {
    expect(splitOf(1, 2, 5)).toEqual([
      { version: 1, sharePct: 95 },
      { version: 2, sharePct: 5 },
    ]);
  });

  it('is the challenger alone at 100 percent, with no champion, and against itself', () => {
    for (const split of [splitOf(1, 2, 100), splitOf(null, 2, 5), splitOf(2, 2, 5)]) expect(split).toEqual([{ version: 2, sharePct: 100 }]);
  });
});
