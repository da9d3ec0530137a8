import { describe, expect, test } from 'vitest';
import {
  addPartitions,
  cadenceOf,
  countPartitions,
  describePartitions,
  partitionFolder,
  partitionInFolder,
  partitionRange,
  partitionSchema,
  wrongCadence,
} from '../../../domain/partition.js';

describe('the written form of a partition', () => {
  test.each([
    ['2013-04-07T13', 'hour'],
    ['2013-04-07', 'day'],
    ['2013-W14', 'week'],
    ['2013-04', 'month'],
    ['all', 'static'],
  ] as const)('tells its cadence: %s is a %s', (partition, cadence) => {
    expect(cadenceOf(partitionSchema.parse(partition))).toBe(cadence);
    if (cadence === 'static') return;
    expect(partitionInFolder(partitionFolder(partition), cadence)).toBe(partition);
    expect(partitionInFolder(partitionFolder(partition), cadence === 'day' ? 'month' : 'day')).toBeUndefined();
  });

  test.each(['2013-4', '2013-13', '2013-04-31', '2013-02-29', '2013-W53', '2013-W00', '2013-w14', '2013-04-07T24'])(
    'is of a date of the calendar: not %s',
    (text) => expect(partitionSchema.safeParse(text).success).toBe(false),
  );

  test.each(['2013-04-07 13', '2013-04-07T13:00', '2013-04-07T13Z', '20130407', '2013', '', 'ALL', ' 2013-04'])(
    'is exactly one of the five: not %j',
    (text) => expect(partitionSchema.safeParse(text).success).toBe(false),
  );

  test('is in the order of time, and one more is the next over days, leap years and ISO years of 53 weeks', () => {
    const next = { '2012-02-28': '2012-02-29', '2013-02-28': '2013-03-01', '2012-12-31T23': '2013-01-01T00' };
    for (const [one, other] of Object.entries({ ...next, '2015-W53': '2016-W01', '2014-W52': '2015-W01' })) {
      expect(addPartitions(one, 1)).toBe(other);
      expect(addPartitions(other, -1)).toBe(one);
      expect(one < other).toBe(true);
    }
    expect(partitionRange('2020-W52', '2021-W02')).toEqual(['2020-W52', '2020-W53', '2021-W01', '2021-W02']);
    expect(countPartitions('2013-01-01T00', '2013-12-31T23')).toBe(8760);
    expect(partitionRange('all', 'all')).toEqual(['all']);
    expect(describePartitions(['2013-04-08T00', '2013-04-07T23', '2013-04-08T05'])).toBe(
      '2013-04-07T23 … 2013-04-08T00, 2013-04-08T05',
    );
  });

  test('of another cadence is refused with the form that is right', () => {
    expect(wrongCadence('2013-04', 'month')).toBeUndefined();
    expect(wrongCadence('2013-04-07', 'month')).toBe(
      '2013-04-07 is a day, and the partitions of this model are months: write the month as YYYY-MM, ' +
        'for example 2013-04',
    );
    expect(wrongCadence('2013-04', 'hour')).toContain('write the hour as YYYY-MM-DDTHH, for example 2013-04-07T13');
    expect(wrongCadence('2013-04-07T13', 'week')).toContain('is an hour, and the partitions of this model are weeks');
    expect(wrongCadence('all', 'day')).toContain('is the partition of static data');
    expect(wrongCadence('2013-04', 'static')).toContain('write all');
  });
});
