import { describe, expect, it } from 'vitest';
import { catchUpWindowMs, nextFirings } from '../../../../client/triggers/schedule-plan.js';

const schedule = (cron: string, timeZone = 'America/New_York', name = 'monthly') => ({
  name,
  cron,
  timeZone,
  paused: false,
});
const hourMs = 3_600_000;

describe('the next firings of a schedule', () => {
  it('stay at the same hour of New York when its clocks go forward: 6:00 is 11:00 UTC before, 10:00 after', () => {
    // Clocks went from 2:00 EST to 3:00 EDT on 10 March 2013.
    expect(nextFirings(schedule('0 6 * * *'), new Date('2013-03-09T00:00:00Z'), 3)).toEqual([
      '2013-03-09T11:00:00.000Z',
      '2013-03-10T10:00:00.000Z',
      '2013-03-11T10:00:00.000Z',
    ]);
  });

  it('stay at the same hour when the clocks go back', () => {
    // Clocks went from 2:00 EDT to 1:00 EST on 3 November 2013.
    expect(nextFirings(schedule('0 6 * * *'), new Date('2013-11-02T00:00:00Z'), 3)).toEqual([
      '2013-11-02T10:00:00.000Z',
      '2013-11-03T11:00:00.000Z',
      '2013-11-04T11:00:00.000Z',
    ]);
  });

  it('come one after the other, never twice, over both changes', () => {
    for (const from of ['2013-03-10T04:00:00Z', '2013-11-03T03:00:00Z']) {
      const times = nextFirings(schedule('*/30 * * * *'), new Date(from), 12).map((time) => Date.parse(time));
      expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual(
        Array.from({ length: 11 }, () => hourMs / 2),
      );
    }
  });

  it('are read in the time zone of the schedule', () => {
    expect(nextFirings(schedule('0 6 2 * *', 'UTC'), new Date('2013-01-01T00:00:00Z'), 1)).toEqual([
      '2013-01-02T06:00:00.000Z',
    ]);
    expect(nextFirings(schedule('0 6 2 * *', 'Asia/Kolkata'), new Date('2013-01-01T00:00:00Z'), 1)).toEqual([
      '2013-01-02T00:30:00.000Z',
    ]);
  });

  it('pass over a time that the clocks go past, and come twice with an hour that does, as on the server', () => {
    // 14 March 2027 has no 2:30 in New York.
    expect(nextFirings(schedule('30 2 14 3 *'), new Date('2026-11-28T00:00:00Z'), 1)).toEqual([
      '2028-03-14T06:30:00.000Z',
    ]);
    expect(nextFirings(schedule('30 1 * * *'), new Date('2013-11-02T12:00:00Z'), 3)).toEqual([
      '2013-11-03T05:30:00.000Z',
      '2013-11-03T06:30:00.000Z',
      '2013-11-04T06:30:00.000Z',
    ]);
  });

  it('ask for both days where both are named, Sundays by 0, 7 or name, and steps from a single value on', () => {
    const from = new Date('2026-01-01T00:00:00Z');
    expect(nextFirings(schedule('0 0 13 * fri', 'UTC'), from, 2)).toEqual([
      '2026-02-13T00:00:00.000Z',
      '2026-03-13T00:00:00.000Z',
    ]);
    for (const day of ['0', '7', 'sun', 'Sunday', '*/7'])
      expect(nextFirings(schedule(`0 0 * * ${day}`, 'UTC'), from, 1)).toEqual(['2026-01-04T00:00:00.000Z']);
    expect(nextFirings(schedule('0 20/2 * * *', 'UTC'), from, 3).map((time) => time.slice(11, 13))).toEqual([
      '20',
      '22',
      '20',
    ]);
  });

  it.each([
    '61 * * * *',
    '0 6 L * *',
    '0 6 ? * *',
    'H 6 * * *',
    '0 6 15W * *',
    '0 0 * * 5#2',
    '0 0 * * fri-sun',
    '0 0 5-3 * *',
    '*/0 * * * *',
    '0 0 30 2 *',
    '0 2 8-14 3 sun',
    '0 0 1 ja *',
    '0 6 * * #',
    '* * * *',
    '* * * * * *',
    '0 6 31 2 x',
    'daily please now',
    '@daily',
  ])('are refused for %j, with the schedule’s name and a valid example', (cron) => {
    expect(() => nextFirings(schedule(cron), new Date(), 1)).toThrow(
      expect.objectContaining({
        code: 'definition/invalid',
        message: expect.stringMatching(/triggers\.schedules monthly: .*A valid one: "0 6 2 \* \*"/),
      }),
    );
  });
});

describe('the time for which a missed firing is still run', () => {
  it('is the longest gap between two firings, so that the latest missed one always is', () => {
    expect(catchUpWindowMs(schedule('0 6 2 * *', 'UTC'), new Date('2013-01-01T00:00:00Z'))).toBe(31 * 24 * hourMs);
    expect(catchUpWindowMs(schedule('0 6 * * *', 'UTC'), new Date('2013-01-01T00:00:00Z'))).toBe(24 * hourMs);
    expect(catchUpWindowMs(schedule('0 6 * * 1-5', 'UTC'), new Date('2013-01-01T00:00:00Z'))).toBe(72 * hourMs);
  });

  it('is an hour longer than a day over the night that has 25 hours', () => {
    expect(catchUpWindowMs(schedule('0 6 * * *'), new Date('2013-10-20T00:00:00Z'))).toBe(25 * hourMs);
  });

  it('is at least a minute and at most 366 days', () => {
    expect(catchUpWindowMs(schedule('* * * * *'), new Date('2013-01-01T00:00:00Z'))).toBe(60_000);
    expect(catchUpWindowMs(schedule('0 0 29 2 *', 'UTC'), new Date('2013-01-01T00:00:00Z'))).toBe(366 * 24 * hourMs);
  });
});
