import { afterEach, describe, expect, test } from 'vitest';
import { localTime } from '../../../../cli/format/time.js';
import { parseTime } from '../../../../cli/parse/time.js';

const now = new Date('2026-03-10T12:00:00Z');
const zone = process.env.TZ;

afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe('a time on the command line', () => {
  test.each([
    ['2026-03-01T12:00:00Z', '2026-03-01T12:00:00.000Z'],
    ['2026-03-01T12:00:00+02:00', '2026-03-01T10:00:00.000Z'],
    ['10m ago', '2026-03-10T11:50:00.000Z'],
    ['90 seconds ago', '2026-03-10T11:58:30.000Z'],
    ['2h ago', '2026-03-10T10:00:00.000Z'],
    ['3 days ago', '2026-03-07T12:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(parseTime(text, now).toISOString()).toBe(iso);
  });

  test('without a zone it is local time, a date alone too', () => {
    process.env.TZ = 'America/New_York';
    expect(parseTime('2026-01-15T12:00', now).toISOString()).toBe('2026-01-15T17:00:00.000Z');
    expect(parseTime('2026-01-15', now).toISOString()).toBe('2026-01-15T05:00:00.000Z');
  });

  test.each(['', 'ten minutes ago', '10', '10x ago', '2026-13-01', '01.02.2026', '2026-02-01T25:00Z'])(
    '%j is refused with an example',
    (text) => {
      expect(() => parseTime(text, now)).toThrow(/10m ago/);
    },
  );
});

test('times are printed in the local zone with its offset', () => {
  process.env.TZ = 'America/New_York';
  expect(localTime('2026-01-15T17:00:00.000Z')).toBe('2026-01-15 12:00:00 -05:00');
  expect(localTime('2026-07-15T16:00:00.000Z')).toBe('2026-07-15 12:00:00 -04:00');
  expect(localTime(null)).toBe('–');
});
