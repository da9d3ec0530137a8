import { describe, expect, test } from 'vitest';
import { begunPartition, partitionAt, partitionBounds } from '../../../../domain/calendar/partition-bounds.js';
import { addPartitions, cadenceOf } from '../../../../domain/partition.js';
// Python 3.11: datetime(y, m, d, tzinfo=ZoneInfo(zone)).astimezone(timezone.utc), of the first day and the next one.
import zoneinfo from './partition-bounds.json' with { type: 'json' };

const hours = (partition: string, timeZone: string) => {
  const bounds = partitionBounds(partition, timeZone);
  return bounds && (bounds.end - bounds.start) / 3_600_000;
};

describe('a partition begins and ends', () => {
  test.each(zoneinfo as [string, string, string, string][])(
    '%s of %s as zoneinfo says',
    (partition, zone, from, to) => {
      expect(partitionBounds(partition, zone)).toEqual({ start: Date.parse(from), end: Date.parse(to) });
    },
  );

  test('so that days are of 23, 25, 23.5 and 24.5 hours where the clocks change, and of none where a zone skipped one', () => {
    expect(hours('2013-03-10', 'America/New_York')).toBe(23);
    expect(hours('2013-11-03', 'America/New_York')).toBe(25);
    expect(hours('2013-10-06', 'Australia/Lord_Howe')).toBe(23.5);
    expect(hours('2013-04-07', 'Australia/Lord_Howe')).toBe(24.5);
    expect(hours('2011-12-30', 'Pacific/Apia')).toBe(0);
  });

  test('as hours of UTC whatever the zone, and never for static data', () => {
    expect(partitionBounds('2013-03-10T07', 'America/New_York')?.start).toBe(Date.parse('2013-03-10T07:00:00Z'));
    expect(partitionBounds('all', 'UTC')).toBeUndefined();
  });

  test.each(['2013-03-09', '2013-W10', '2013-02', '2013-03-10T06'])(
    'where the one before ends, over a change of the clocks: %s',
    (first) => {
      for (let one = first, next = addPartitions(one, 1), count = 0; count < 40; count += 1) {
        const [before, after] = [one, next].map((partition) => partitionBounds(partition, 'America/New_York'));
        expect(before?.end, next).toBe(after?.start);
        [one, next] = [next, addPartitions(next, 1)];
      }
    },
  );
});

describe('the partition of an instant', () => {
  test('is the one whose bounds it lies in: the first instant is in it, the last one of all in the next', () => {
    for (const [partition, zone, from, to] of zoneinfo as [string, string, string, string][]) {
      if (from === to) continue;
      expect(partitionAt(Date.parse(from), cadenceOf(partition), zone), `${partition} ${zone}`).toBe(partition);
      expect(partitionAt(Date.parse(to), cadenceOf(partition), zone), `${partition} ${zone}`).not.toBe(partition);
    }
  });

  test('is read in the declared zone, and in UTC without one', () => {
    const now = new Date('2013-04-01T02:30:00Z');
    expect(begunPartition({ cadence: 'day', timeZone: 'America/New_York' }, now)).toBe('2013-03-31');
    expect(begunPartition({ cadence: 'week', timeZone: 'America/New_York' }, now)).toBe('2013-W13');
    expect(begunPartition({ cadence: 'week' }, now)).toBe('2013-W14');
    expect(begunPartition({ cadence: 'hour', timeZone: 'Asia/Kolkata' }, now)).toBe('2013-04-01T02');
    expect(begunPartition({}, now)).toBe('2013-04');
    expect(begunPartition({ cadence: 'static' }, now)).toBe('all');
  });
});
