import { describe, expect, test } from 'vitest';
import { dataPolicySchema } from '../../../../domain/data/data-policy.js';
import { shapeDigest } from '../../../../domain/data/snapshot/snapshot-shape.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const tables = { sales: { columns: { id: 'integer' } } };
const policy = (change: object) => ({
  tables,
  base: 'sales',
  window: { kind: 'expanding', from: '2013-04' },
  ...change,
});
const problems = (change: object) => {
  const parsed = dataPolicySchema.safeParse(policy(change));
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const from = (first: string) => ({ kind: 'expanding', from: first });
const whole = { sales: { columns: { id: 'integer' }, partitioned: false } };

describe('the cadence of a definition', () => {
  test.each([
    ['hour', '2013-04-07T00'],
    ['day', '2013-04-07'],
    ['week', '2013-W14'],
    ['month', '2013-04'],
  ])('%s takes a window in its own form, and no other', (cadence, first) => {
    expect(problems({ cadence, timeZone: 'Europe/Berlin', window: from(first) })).toEqual([]);
    const other = cadence === 'day' ? '2013-04' : '2013-04-07';
    expect(problems({ cadence, window: from(other) })).toEqual([
      expect.stringMatching(new RegExp(`^window.from: ${other} is a .* for example`)) as string,
    ]);
  });

  test('slides over partitions; months are of monthly models, and one of the two is given', () => {
    const sliding = (rest: object) => ({ kind: 'sliding', from: '2013-04-07', ...rest });
    expect(problems({ cadence: 'day', window: sliding({ partitions: 30 }) })).toEqual([]);
    expect(problems({ window: { kind: 'sliding', from: '2013-04', partitions: 30 } })).toEqual([]);
    expect(problems({ cadence: 'day', window: sliding({ months: 3 }) }).join()).toContain('write how many days');
    expect(problems({ cadence: 'day', window: sliding({}) }).join()).toContain('window.partitions: give either');
    expect(problems({ window: { kind: 'sliding', from: '2013-04', months: 3, partitions: 3 } })).toHaveLength(1);
  });

  test('static is tables without partitions and no window; any other needs both', () => {
    expect(problems({ cadence: 'static', tables: whole, window: undefined })).toEqual([]);
    expect(problems({ cadence: 'static', tables: whole })).toEqual([
      'window: static data is used whole: leave the window out',
    ]);
    expect(problems({ cadence: 'static', window: undefined }).join()).toContain('sales.partitioned: must be false');
    expect(problems({ cadence: 'day', window: undefined }).join()).toContain('window: says which partitions');
    expect(problems({ tables: whole }).join()).toContain("must be partitioned, or data.cadence be 'static'");
  });

  test('and its zone are part of what shapes rows; a definition without them keeps its digest', () => {
    const { contract, data } = flightDelay;
    const digest = (change: object) => shapeDigest({ contract, data: { ...data, ...change } });
    const before = digest({});
    expect(digest({ window: { kind: 'sliding', from: '2013-02', months: 2 }, timeZone: 'Asia/Tokyo' })).toBe(before);
    expect(digest({ cadence: 'month' })).not.toBe(before);
    expect(digest({ cadence: 'month', timeZone: 'UTC' })).toBe(digest({ cadence: 'month' }));
    expect(digest({ cadence: 'month', timeZone: 'Asia/Tokyo' })).not.toBe(digest({ cadence: 'month' }));
  });

  test('is read in a zone that there is', () => {
    expect(problems({ cadence: 'day', timeZone: 'Mars/Olympus', window: from('2013-04-07') }).join()).toContain('IANA');
  });
});
