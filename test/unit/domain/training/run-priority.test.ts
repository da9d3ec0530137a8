import { describe, expect, it } from 'vitest';
import { runPriority, urgencyAfter, urgencyStepMs } from '../../../../domain/training/run-priority.js';

describe('the priority of a run', () => {
  it('is higher where somebody waits or production suffers, lower where it can wait', () => {
    const of = (cause: Parameters<typeof runPriority>[0]) => runPriority(cause, undefined, 1);
    for (const urgent of ['person', 'drift', 'performance'] as const) expect(of(urgent)).toBeLessThan(of('schedule'));
    for (const usual of ['data', 'code', 'message'] as const) expect(of(usual)).toBe(of('schedule'));
    expect(of('backfill')).toBeGreaterThan(of('schedule'));
  });

  it('is what the definition states, as far as the environment lets it, where nobody waits', () => {
    expect([1, 2, 3, 4, 5].map((stated) => runPriority('schedule', stated, 2))).toEqual([2, 2, 3, 4, 5]);
    expect(runPriority('data', 1, 1)).toBe(1);
    expect(runPriority('code', 1, 4)).toBe(4);
  });

  it('lets no definition put its backfills before others, nor people behind', () => {
    expect(runPriority('backfill', 1, 1)).toBe(4);
    expect(runPriority('person', 5, 1)).toBe(2);
  });

  it('rises by one with each step of its wait, up to 1', () => {
    const after = (steps: number) => [1, 2, 3, 4, 5].map((priority) => urgencyAfter(priority, steps * urgencyStepMs));
    expect(after(0.99)).toEqual([1, 2, 3, 4, 5]);
    expect(after(1)).toEqual([1, 1, 2, 3, 4]);
    expect(after(400)).toEqual([1, 1, 1, 1, 1]);
    expect(urgencyAfter(3, -1)).toBe(3);
  });
});
