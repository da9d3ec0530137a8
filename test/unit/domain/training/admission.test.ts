import { describe, expect, it } from 'vitest';
import {
  decideAdmission,
  goesBefore,
  silentTooLongMs,
  type WaitingRun,
} from '../../../../domain/training/admission.js';

const now = new Date('2026-01-01T06:00:00Z');
const run = (runId: string, priority = 3, waitsMinutes = 0, askedMinutesAgo: number | null = 0): WaitingRun => ({
  ...{ runId, workflowId: `train/m/${runId}`, priority },
  startedAt: new Date(now.getTime() - waitsMinutes * 60_000),
  askedAt: askedMinutesAgo === null ? null : new Date(now.getTime() - askedMinutesAgo * 60_000),
});
const held = (...names: string[]) => names.map((name) => ({ name, holder: `w|${name}`, token: 1 }));
const decide = (one: WaitingRun, others: WaitingRun[], names: string[] = [], perModelMax = 1) =>
  decideAdmission(one, { others, held: held(...names), perModelMax, now, model: 'm' });

describe('a run that waits for its turn', () => {
  it('enters where a slot is free and nobody goes before it', () => {
    expect(decide(run('a'), [run('b'), run('c', 4, 60)])).toEqual({ kind: 'enters', slot: 'train/m' });
    expect(decide(run('a'), [], ['train/m'], 2)).toEqual({ kind: 'enters', slot: 'train/m/2' });
    expect(decide(run('a'), [], ['train/m/2'], 2)).toEqual({ kind: 'enters', slot: 'train/m' });
  });

  it('waits behind the more urgent, then behind those that wait longer', () => {
    expect(decide(run('a'), [run('b', 2), run('c', 3, 5)])).toEqual({ kind: 'waits', for: 'train/m/b', behind: 2 });
    expect(decide(run('a'), [run('b', 2)], [], 2)).toEqual({ kind: 'enters', slot: 'train/m' });
  });

  it('waits while every slot is held, those of a larger limit of before included', () => {
    expect(decide(run('a'), [], ['train/m'])).toEqual({ kind: 'waits', for: null, behind: 0 });
    expect(decide(run('a'), [], ['train/m/2', 'train/m/5'], 2)).toEqual({ kind: 'waits', for: null, behind: 0 });
  });

  it('is not held up by one that has stopped asking', () => {
    const minutes = silentTooLongMs / 60_000;
    expect(decide(run('a'), [run('stuck', 1, 90, minutes + 1)])).toMatchObject({ kind: 'enters' });
    expect(decide(run('a'), [run('asks', 1, 90, minutes - 1)])).toMatchObject({ kind: 'waits' });
    expect(decide(run('a'), [run('never', 1, minutes + 1, null)])).toMatchObject({ kind: 'enters' });
  });

  it('has one place in one order, whoever looks', () => {
    const all = [run('d', 3, 1), run('b', 1), run('c', 3, 1), run('a', 3, 9)];
    const sorted = all.toSorted((one, other) => (goesBefore(one, other, now) ? -1 : 1));
    expect(sorted.map((one) => one.runId)).toEqual(['b', 'a', 'c', 'd']);
  });

  it('is never passed for ever: what has waited a day goes before all that is more urgent', () => {
    const day = 24 * 60;
    for (const priority of [1, 2, 3, 4, 5]) {
      expect(decide(run('new', priority), [run('old', 5, day)])).toMatchObject({ kind: 'waits', for: 'train/m/old' });
      expect(decide(run('old', 5, day), [run('new', priority)])).toMatchObject({ kind: 'enters' });
    }
    expect(decide(run('new', 2), [run('old', 4, 11 * 60)])).toMatchObject({ kind: 'enters' });
    expect(decide(run('new', 2), [run('old', 4, 12 * 60)])).toMatchObject({ kind: 'waits' });
  });
});
