import { describe, expect, it } from 'vitest';
import { latestOverlap } from '../../../../domain/triggers/schedule-record.js';

const at = (time: string) => new Date(`2026-01-01T${time}Z`);
/** Fires at every full hour. */
const hourly = (time: Date) => new Date((Math.floor(time.getTime() / 3_600_000) + 1) * 3_600_000);
const run = (runId: string, scheduledFor: string, finishedAt: string | null, startedAt = scheduledFor) => ({
  ...{ runId, scheduledFor: at(scheduledFor), startedAt: at(startedAt) },
  finishedAt: finishedAt === null ? null : at(finishedAt),
});
const overlap = (...runs: ReturnType<typeof run>[]) => latestOverlap(runs, hourly, at('12:30:00'));

describe('the latest firing that found an earlier run still going', () => {
  it('is the last one before that run ended', () => {
    expect(overlap(run('b', '10:00:00', '10:20:00'), run('a', '06:00:00', '08:10:00'))).toEqual({
      scheduledFor: at('08:00:00'),
      runId: 'a',
    });
  });

  it('is the last one until now where the run still goes on', () => {
    expect(overlap(run('a', '09:00:00', null))).toEqual({ scheduledFor: at('12:00:00'), runId: 'a' });
  });

  it('is none where every run ended before the next firing, or at it', () => {
    expect(overlap(run('b', '10:00:00', '11:00:00'), run('a', '09:00:00', '09:59:00'))).toBeUndefined();
    expect(overlap()).toBeUndefined();
  });

  it('is none that was due before the run began: those were missed', () => {
    expect(overlap(run('a', '06:00:00', '09:50:00', '09:10:00'))).toBeUndefined();
  });

  it('is found in bounded time, however long a run went on', () => {
    let asked = 0;
    const everySecond = (time: Date) => {
      asked += 1;
      return new Date(time.getTime() + 1000);
    };
    expect(latestOverlap([run('a', '00:00:00', null)], everySecond, at('23:00:00'))).toMatchObject({ runId: 'a' });
    expect(asked).toBeLessThan(2_000);
  });

  it('is none where the schedule fires no more', () => {
    expect(latestOverlap([run('a', '06:00:00', null)], () => undefined, at('12:30:00'))).toBeUndefined();
  });
});
