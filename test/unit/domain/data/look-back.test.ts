import { describe, expect, it } from 'vitest';
import { dataPolicySchema } from '../../../../domain/data/data-policy.js';
import { filesByPartition, inputsByPartition } from '../../../../domain/data/lake/lake-inputs.js';
import { earlierPartitions, lookBackMax, lookBackProblems } from '../../../../domain/data/look-back.js';
import { contractSchema } from '../../../../domain/data/contract.js';

const columns = { k: 'string', t: 'timestamp', booked: 'timestamp', late: 'boolean' };
const contract = contractSchema.parse({
  entity: ['k'],
  eventTime: 't',
  label: { name: 'late', type: 'boolean' },
  features: { k: { type: 'string' } },
});
const joined = (more: object, data: object = {}) => ({
  contract,
  data: dataPolicySchema.parse({
    tables: { base: { columns }, right: { columns } },
    base: 'base',
    joins: [{ table: 'right', on: ['k'], ...more }],
    window: { kind: 'expanding', from: '2013-01' },
    ...data,
  }),
});
const asOf = (more: object = {}, data: object = {}) => joined({ asOf: { time: 't', ...more } }, data);
const daily = (timeZone = 'UTC') => ({ cadence: 'day', timeZone, window: { kind: 'expanding', from: '2013-01-01' } });
const count = { n: { fn: 'count' } };

describe('a partition looks back on', () => {
  it.each<[string, ReturnType<typeof joined>, string, string[]]>([
    ['nothing by equal columns', joined({}), '2013-05', []],
    ['the month before by ten days', asOf({ toleranceDays: 10 }), '2013-05', ['2013-04']],
    // By columns of the data a month may begin a day before it does in UTC.
    ['the month before by no tolerance at all', asOf({ toleranceDays: 0 }), '2013-05', ['2013-04']],
    ['two months by more than February has', asOf({ toleranceDays: 28 }), '2013-03', ['2013-01', '2013-02']],
    ['what lies before the training window too', asOf({ toleranceDays: 40 }), '2013-01', ['2012-11', '2012-12']],
    ['the whole window without a tolerance', asOf(), '2013-03', ['2013-01', '2013-02']],
    [
      'the whole window by a moment of its own',
      asOf({ leftTime: 'booked', toleranceDays: 1 }),
      '2013-03',
      ['2013-01', '2013-02'],
    ],
    ['nothing of a day by no tolerance', asOf({ toleranceDays: 0 }, daily()), '2013-03-10', []],
    ['the day before by a microsecond', asOf({ toleranceMinutes: 1 / 6e7 }, daily()), '2013-03-10', ['2013-03-09']],
    ['the day before by the hours of a day', asOf({ toleranceHours: 24 }, daily()), '2013-03-10', ['2013-03-09']],
    // 10 March has 23 hours in New York.
    [
      'two days by 24 hours after a short day',
      asOf({ toleranceHours: 24 }, daily('America/New_York')),
      '2013-03-11',
      ['2013-03-09', '2013-03-10'],
    ],
    [
      'a week by the window of an aggregate',
      joined({ asOf: { time: 't' }, aggregate: count, window: { days: 3 } }, daily()),
      '2013-03-10',
      ['2013-03-07', '2013-03-08', '2013-03-09'],
    ],
  ])('%s', (_name, definition, partition, expected) => {
    expect(earlierPartitions(definition, 'right', partition)).toEqual(expected);
    expect(earlierPartitions(definition, 'base', partition)).toEqual([]);
  });

  it('no more than the newest thousand, however long the window is', () => {
    const found = earlierPartitions(asOf({}, daily()), 'right', '2020-01-01');
    expect([found.length, found.at(-1)]).toEqual([lookBackMax, '2019-12-31']);
    expect(lookBackProblems(asOf({ toleranceDays: 1000 }, daily()))).toEqual([]);
    expect(lookBackProblems(asOf({ toleranceDays: 1001 }, daily()))).toEqual([
      { path: 'data.joins[0].asOf', message: expect.stringContaining('1001 days') },
    ]);
  });
});

describe('the inputs of a partition', () => {
  const files = (changes: Record<string, string> = {}) =>
    ['base/2013-01', 'base/2013-02', 'right/2013-01', 'right/2013-02'].map((place) => {
      const [table = '', partition = ''] = place.split('/');
      return { table, partition, sha256: changes[place] ?? place };
    });
  const digests = (definition: ReturnType<typeof joined>, changes?: Record<string, string>) =>
    inputsByPartition(definition, files(changes));

  it('hold what it looks back on, and nothing that comes later', () => {
    const read = filesByPartition(asOf({ toleranceDays: 1 }), files());
    expect(read.get('2013-02')?.map(({ sha256 }) => sha256)).toEqual([
      'base/2013-02',
      'right/2013-02',
      'right/2013-01',
    ]);
    expect(read.get('2013-01')?.map(({ sha256 }) => sha256)).toEqual(['base/2013-01', 'right/2013-01']);
  });

  it('change with an earlier file that is looked back on, and with one that moves from one partition to the other', () => {
    const [before, plain] = [digests(asOf()), digests(joined({}))];
    const corrected = { 'right/2013-01': 'new' };
    expect(digests(asOf(), corrected).get('2013-02')).not.toBe(before.get('2013-02'));
    expect(digests(joined({}), corrected).get('2013-02')).toBe(plain.get('2013-02'));
    const swapped = { 'right/2013-01': 'right/2013-02', 'right/2013-02': 'right/2013-01' };
    expect(digests(asOf(), swapped).get('2013-02')).not.toBe(before.get('2013-02'));
  });
});
