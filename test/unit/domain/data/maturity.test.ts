import { describe, expect, test } from 'vitest';
import {
  describeImmature,
  isImmature,
  matureFrom,
  maturedUntil,
  maturitySchema,
} from '../../../../domain/data/maturity.js';
import { planWindow } from '../../../../domain/data/snapshot/snapshot-window.js';

const daily = { maturity: { days: 7 }, timeZone: 'America/New_York' };

describe('a partition', () => {
  test('is mature when its last row is old enough, by the clocks of its zone', () => {
    // 3 November 2013 has 25 hours in New York.
    expect(matureFrom(daily, '2013-11-03')?.toISOString()).toBe('2013-11-11T05:00:00.000Z');
    expect(isImmature(daily, '2013-11-03', new Date('2013-11-11T04:59:59Z'))).toBe(true);
    expect(isImmature(daily, '2013-11-03', new Date('2013-11-11T05:00:00Z'))).toBe(false);
    expect(matureFrom({ maturity: { hours: 2 } }, '2013-11-03T10')?.toISOString()).toBe('2013-11-03T13:00:00.000Z');
    expect(matureFrom({ maturity: { hours: 2 } }, '2013-11')?.toISOString()).toBe('2013-12-01T02:00:00.000Z');
  });

  test('has nothing to wait for without a delay, and static data waits row by row', () => {
    expect(matureFrom({}, '2013-11')).toBeUndefined();
    expect(matureFrom(daily, 'all')).toBeUndefined();
    expect(maturedUntil(daily, new Date('2013-11-08T00:00:00Z'))?.toISOString()).toBe('2013-11-01T00:00:00.000Z');
    expect(maturedUntil({}, new Date())).toBeUndefined();
  });

  test('that is left out is named with the time from which it counts', () => {
    expect(describeImmature(daily, [])).toBe('');
    const days = ['2013-06-03', '2013-06-04', '2013-06-05', '2013-06-06', '2013-06-07'];
    expect(describeImmature(daily, days)).toMatch(/2013-06-03 until 2013-06-11 04:00 UTC, .* and 2 more\.$/);
    const plan = planWindow({
      window: { kind: 'expanding', from: '2013-06-01' },
      ...{ available: ['2013-06-01', '2013-06-02'], immature: days, until: '2013-06-04' },
    });
    expect(plan).toMatchObject({
      kind: 'until-missing',
      message: expect.stringContaining('is not mature yet') as string,
    });
  });

  test.each([{}, { hours: 1, days: 1 }, { days: 0 }, { days: 1.5 }])('is given one whole delay: not %j', (delay) => {
    expect(maturitySchema.safeParse(delay).success).toBe(false);
  });
});
