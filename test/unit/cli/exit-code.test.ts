import { describe, expect, test } from 'vitest';
import { exitCodeOf, exitCodeOfRun, exitCodeOfState, Interrupted } from '../../../cli/exit-code.js';
import { PerdureError } from '../../../domain/errors.js';

/**
 * The promise of the product's outside: 0 done · 1 unexpected · 2 usage · 3 gate · 4 rejected or expired · 5 rolled
 * back · 6 not found · 7 unreachable · 130 interrupted.
 */
describe('exit codes', () => {
  test.each([
    ['input/invalid', 2],
    ['definition/invalid', 2],
    ['gate/not-passed', 3],
    ['data/unreadable', 3],
    ['promotion/not-approved', 4],
    ['promotion/closed', 4],
    ['rollout/rolled-back', 5],
    ['not-found', 6],
    ['model/unknown', 6],
    ['server/unreachable', 7],
  ] as const)('%s ends with %i', (code, exitCode) => {
    expect(exitCodeOf(new PerdureError(code, 'message'))).toBe(exitCode);
  });

  test('what nobody foresaw ends with 1, Ctrl-C with 130', () => {
    expect(exitCodeOf(new Error('boom'))).toBe(1);
    expect(exitCodeOf(new Interrupted())).toBe(130);
  });

  test.each([
    ['registered', 0],
    ['no-new-data', 0],
    ['gate-not-passed', 3],
    ['quarantined', 3],
    ['data-missing', 6],
    ['training-failed', 1],
    ['cancelled', 1],
    ['failed', 1],
  ] as const)('a run that ended %s ends `train --wait` with %i', (outcome, exitCode) => {
    expect(exitCodeOfRun(outcome)).toBe(exitCode);
  });

  test.each([
    ['promoted', 0],
    ['rejected', 4],
    ['expired', 4],
    ['withdrawn', 4],
    ['rolled-back', 5],
    ['failed', 1],
  ])('a promotion that ended %s ends `promote --wait` with %i', (state, exitCode) => {
    expect(exitCodeOfState(state)).toBe(exitCode);
  });
});
