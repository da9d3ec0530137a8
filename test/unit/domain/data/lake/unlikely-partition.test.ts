import { describe, expect, test } from 'vitest';
import { whyUnlikely } from '../../../../../domain/data/lake/unlikely-partition.js';
import { describePartitions, partitionRange } from '../../../../../domain/partition.js';

describe('a list of months', () => {
  test('is told in ranges, whatever its order, and never at length', () => {
    expect(describePartitions([])).toBe('');
    expect(describePartitions(['2013-05'])).toBe('2013-05');
    expect(describePartitions(['2014-01', '2013-12', '2013-02'])).toBe('2013-02, 2013-12 … 2014-01');
    expect(describePartitions(partitionRange('2013-05', '9999-11'))).toBe('2013-05 … 9999-11');
    const everySecond = partitionRange('2000-01', '9999-12').filter((_, index) => index % 2 === 0);
    expect(describePartitions(everySecond)).toMatch(/^2000-01, 2000-03, .*2001-07 and \d+ more ranges$/);
  });
});

describe('a partition that is put', () => {
  const data = { base: 'sales', window: { kind: 'expanding', from: '2013-01' } } as const;
  const doubt = (partition: string, present: string[], { table = 'sales', now = '2013-06-15T12:00:00Z' } = {}) =>
    whyUnlikely(data, { table, partition, present, now: new Date(now) });

  test.each([
    ['the first one', '2013-04', []],
    ['the next one', '2013-05', ['2013-04']],
    ['one that is there', '2013-04', ['2013-04', '2013-01']],
    ['one that fills a gap', '2013-02', ['2013-01', '2013-04']],
    ['an earlier one than the last month there is', '2013-04', ['9999-12']],
    ['this month', '2013-06', ['2013-05']],
  ])('is fine when it is %s', (_, partition, present) => {
    expect(doubt(partition, present)).toBeUndefined();
  });

  test('is doubted in the future, after a gap and before the window, and the doubt says why', () => {
    expect(doubt('2013-07', ['2013-06'])).toContain('in the future: this month is 2013-06');
    expect(doubt('2013-05', ['2013-01', '2013-02'])).toContain(
      'the newest month of sales is 2013-02; missing: 2013-03 … 2013-04',
    );
    expect(doubt('2013-04', ['2013-02'])).toContain('missing: 2013-03');
    expect(doubt('2012-12', [])).toContain('before 2013-01');
  });

  test('of a joined table may leave gaps, and is doubted in the future', () => {
    expect(doubt('2013-05', ['2013-01'], { table: 'weather' })).toBeUndefined();
    expect(doubt('2013-07', [], { table: 'weather' })).toContain('in the future');
  });

  test('of a declared cadence is in the future before it begins in its zone', () => {
    const daily = {
      ...data,
      cadence: 'day',
      timeZone: 'America/New_York',
      window: { kind: 'expanding', from: '2013-06-01' },
    } as const;
    const ofDay = (partition: string, present: string[], now: string) =>
      whyUnlikely(daily, { table: 'sales', partition, present, now: new Date(now) });
    expect(ofDay('2013-06-15', [], '2013-06-15T03:59:00Z')).toContain('in the future: this day is 2013-06-14');
    expect(ofDay('2013-06-15', [], '2013-06-15T04:00:00Z')).toBeUndefined();
    expect(ofDay('2013-06-09', ['2013-06-03'], '2013-06-15T04:00:00Z')).toContain(
      'the newest day of sales is 2013-06-03; missing: 2013-06-04 … 2013-06-08',
    );
  });

  test('is of this month where on Earth that has begun', () => {
    expect(doubt('2013-07', ['2013-06'], { now: '2013-06-30T11:00:00Z' })).toBeUndefined();
    expect(doubt('2013-07', ['2013-06'], { now: '2013-06-30T09:00:00Z' })).toContain('in the future');
  });
});
