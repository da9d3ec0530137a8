import { describe, expect, it } from 'vitest';
import { rolloutPolicySchema } from '../../../../domain/rollout/rollout-policy.js';
import { inconclusiveEnd, lookAfterSeconds, moveAfterLook } from '../../../../domain/rollout/move-after-look.js';

const stage = { minSeconds: 10, maxSeconds: 60 };

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
    expect(moveAfterLook('pause', stage, { verdict, elapsedSeconds })).toBe(move);
  });

  it('of a stage that ends inconclusive is what the policy says; no data never advances under any', () => {
    const late = { verdict: 'inconclusive', elapsedSeconds: 61 } as const;
    expect(moveAfterLook('extend', stage, late)).toBe('look-again');
    expect(moveAfterLook('rollback', stage, late)).toBe('roll-back');
    expect(moveAfterLook('advance', stage, late)).toBe('next-step');
    for (const end of ['pause', 'extend', 'rollback', 'advance'] as const)
      expect(moveAfterLook(end, stage, { verdict: 'no-data', elapsedSeconds: 1e6, exhausted: true })).toBe('pause');
  });

  it('of an A/B test that has seen its horizon comes at once, not when its time is over', () => {
    const seen = { verdict: 'inconclusive', elapsedSeconds: 1, exhausted: true } as const;
    expect(moveAfterLook('rollback', stage, seen)).toBe('roll-back');
    expect(moveAfterLook('advance', stage, seen)).toBe('next-step');
    expect(moveAfterLook('rollback', stage, { ...seen, verdict: 'pass', elapsedSeconds: 10 })).toBe('next-step');
  });
});

describe('an inconclusive end', () => {
  const outcome = { metric: 'outcome', direction: 'higher-is-better' } as const;
  it.each([
    ['champion', 'rollback'],
    ['challenger', 'advance'],
    ['pause', 'pause'],
  ] as const)('of an A/B test without a winner that keeps the %s is %s', (onNoWinner, end) => {
    const policy = rolloutPolicySchema.parse({ strategy: 'ab', outcome, onNoWinner, onInconclusive: 'extend' });
    expect(inconclusiveEnd(policy, { kind: 'ab' })).toBe(end);
    expect(inconclusiveEnd(policy, { kind: 'canary' })).toBe('extend');
  });
});

describe('looks', () => {
  it('come after the policy’s seconds, and after a twentieth of the time passed once that is longer', () => {
    expect(lookAfterSeconds({ lookEverySeconds: 5 }, 0)).toBe(5);
    expect(lookAfterSeconds({ lookEverySeconds: 5 }, 100)).toBe(5);
    expect(lookAfterSeconds({ lookEverySeconds: 5 }, 200)).toBe(10);
  });
});
