import { describe, expect, it } from 'vitest';
import { rollbackTarget } from '../../../domain/rollback-target.js';
import { rolloutReason, type Route, type Split } from '../../../domain/route.js';

const history = (...splits: Split[]): Route[] =>
  splits.map((split, index) => ({
    storeId: 's',
    environment: 'production',
    model: 'm',
    epoch: index + 1,
    split,
    shadows: [],
    standby: [],
    overrides: [],
    reason: '',
    at: '2026-01-01T00:00:00.000Z',
  }));
const whole = (version: number): Split => [{ version, sharePct: 100 }];
const canary = (champion: number, challenger: number, sharePct: number): Split => [
  { version: champion, sharePct: 100 - sharePct },
  { version: challenger, sharePct },
];
const target = (routes: Route[], to: number | null = null) => rollbackTarget(routes, { model: 'm', to });

describe('the target of a rollback', () => {
  it('is the version that had all of the traffic before the present champion, canary steps between left out', () => {
    expect(target(history(whole(1), canary(1, 2, 5), canary(1, 2, 25), whole(2)))).toBe(1);
    expect(target(history(whole(1), whole(2), canary(2, 3, 5), whole(3)))).toBe(2);
  });

  it('skips a challenger that was rolled back and never had everything', () => {
    expect(target(history(whole(1), whole(2), canary(2, 3, 5), whole(2)))).toBe(1);
  });

  it('does not take a repeated route of the present champion for an earlier version', () => {
    expect(target(history(whole(1), whole(2), whole(2)))).toBe(1);
  });

  it('is the version asked for, where it once was champion', () => {
    expect(target(history(whole(1), whole(2), whole(3)), 1)).toBe(1);
    expect(() => target(history(whole(1), canary(1, 2, 5), whole(1)), 2)).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('Versions that were: 1') }),
    );
    expect(() => target([], 2)).toThrow('Versions that were: none');
  });

  it('never is a version that was just rolled back from: a second rollback goes one step further back', () => {
    expect(target(history(whole(1), whole(2), whole(3), whole(2)))).toBe(1);
    expect(target(history(whole(1), whole(2), whole(1), whole(3)))).toBe(1);
  });

  it('is the champion before where an earlier one was rolled out again: that was a step forward', () => {
    const again = history(whole(1), whole(2), whole(3), canary(3, 2, 5), whole(2)).map((route) =>
      route.epoch < 4 ? route : { ...route, reason: rolloutReason('m', 2, 'step') },
    );
    expect(target(again)).toBe(3);
    const undone = { ...again[2]!, epoch: 6, reason: 'rollback by ada: complaints' };
    expect(target([...again, undone])).toBe(2);
  });

  it('is the last whole route where a split was left behind', () => {
    expect(target(history(whole(1), canary(1, 2, 75)))).toBe(1);
  });

  it('is none after the end of a service, which is said, and nothing from before it once a version serves again', () => {
    const ended = history(whole(1), whole(2), whole(2), whole(3), whole(4)).map((route) =>
      route.epoch === 3 ? { ...route, ended: { by: 'ada@local', reason: 'replaced' } } : route,
    );
    for (const to of [null, 1]) {
      expect(() => target(ended.slice(0, 3), to)).toThrow(
        expect.objectContaining({ code: 'rollout/refused', message: expect.stringContaining('was ended there by ada@local (replaced)') }),
      );
    }
    expect(target(ended)).toBe(3);
    expect(() => target(ended.slice(0, 4))).toThrow(expect.objectContaining({ code: 'not-found' }));
    expect(() => target(ended, 2)).toThrow('Versions that were: 3, 4');
  });

  it('is none where no other version was champion before', () => {
    for (const routes of [history(), history(whole(1)), history(whole(1), whole(2), whole(1))]) {
      expect(() => target(routes)).toThrow(expect.objectContaining({ code: 'not-found' }));
    }
  });
});
