import { expect, it } from 'vitest';
import { PerdureError } from '../../../../domain/errors.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const { data } = flightDelay;
const weather = { table: 'weather', on: ['origin', 'time_hour'] };
const planes = { table: 'planes', on: ['tailnum'] };
const asOf = { time: 'time_hour' };
const count = { n: { fn: 'count' } };

/** The problems of the flights definition with these joins, as `path: message`; empty where there are none. */
function problemsOf(joins: unknown[], changes: object = {}): string[] {
  try {
    parseModelDefinition({ ...flightDelay, ...changes, data: { ...data, joins } });
    return [];
  } catch (error) {
    if (!(error instanceof PerdureError)) throw error;
    const problems = error.details['problems'] as { path: string; message: string }[];
    return problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

it.each<[string, unknown[], RegExp, object?]>([
  ['an unknown table', [{ ...planes, table: 'wings' }], /^data\.joins\[0\]\.table: no table is called wings/],
  ['an unknown left side', [{ ...planes, from: 'wings' }], /^data\.joins\[0\]\.from: no earlier join is called wings/],
  [
    'a left side that is joined later',
    [{ ...planes, from: 'weather' }, weather],
    /^data\.joins\[0\]\.from: weather is joined later/,
  ],
  [
    'a circle',
    [
      { ...planes, from: 'weather' },
      { ...weather, from: 'planes' },
    ],
    /^data\.joins\[0\]\.from: goes round in a circle \(planes → weather → planes\)/,
  ],
  ['a join onto itself', [{ ...planes, from: 'planes' }], /^data\.joins\[0\]\.from: goes round in a circle/],
  [
    'a left column that only the base has',
    [planes, { table: 'weather', from: 'planes', on: ['origin'] }],
    /^data\.joins\[1\]\.on: origin is not a column of planes/,
  ],
  [
    'columns of two types under two names',
    [{ table: 'planes', on: [{ left: 'flight', right: 'tailnum' }] }],
    /^data\.joins\[0\]\.on: flights\.flight is declared integer and planes\.tailnum string/,
  ],
  [
    'a right column twice',
    [{ table: 'planes', on: ['tailnum', { left: 'dest', right: 'tailnum' }] }],
    /^data\.joins\[0\]\.on: the name tailnum is used twice/,
  ],
  ['a table twice', [weather, weather], /^data\.joins: the name weather is used twice .*another name \(as\)/],
  ['the name of the base', [{ ...weather, as: 'flights' }], /^data\.joins: the name flights is used twice/],
  [
    'a column with the name of a join',
    [{ ...weather, as: 'carrier' }],
    /^data\.tables\.flights\.columns: .*a column has the name of a joined table/,
  ],
  [
    'the base under another name, row by row',
    [{ table: 'flights', as: 'other', on: ['tailnum'] }],
    /^data\.joins\[0\]\.table: .*needs asOf/,
  ],
  ['a time that is no column', [{ ...weather, asOf: { time: 'hour' } }], /^data\.joins\[0\]\.asOf\.time: hour is not/],
  ['a time that is none', [{ ...weather, asOf: { time: 'temp' } }], /^data\.joins\[0\]\.asOf\.time: .*declared number/],
  [
    'a moment that is none',
    [{ ...weather, asOf: { ...asOf, leftTime: 'dest' } }],
    /^data\.joins\[0\]\.asOf\.leftTime: dest of flights is declared string/,
  ],
  [
    'two tolerances',
    [{ ...weather, asOf: { ...asOf, toleranceDays: 1, toleranceHours: 2 } }],
    /^data\.joins\[0\]\.asOf: has more than one tolerance/,
  ],
  [
    'a negative tolerance',
    [{ ...weather, asOf: { ...asOf, toleranceDays: -1 } }],
    /^data\.joins\[0\]\.asOf\.tolerance/,
  ],
  ['an order by nothing', [{ ...weather, asOf: { ...asOf, orderBy: ['rev'] } }], /asOf\.orderBy: rev is not a column/],
  ['a window of a row', [{ ...weather, asOf, window: { days: 1 } }], /\.window: is for an aggregate/],
  ['a window without a moment', [{ ...weather, aggregate: count, window: { days: 1 } }], /\.window: needs asOf/],
  [
    'a window of two lengths',
    [{ ...weather, asOf, aggregate: count, window: { days: 1, hours: 1 } }],
    /\.window: must have exactly one/,
  ],
  [
    'a window of no length',
    [{ ...weather, asOf, aggregate: count, window: { days: 0 } }],
    /\.window: must have exactly/,
  ],
  [
    'a tolerance of an aggregate',
    [{ ...weather, asOf: { ...asOf, toleranceDays: 1 }, aggregate: count }],
    /\.asOf: has a tolerance, .* window/,
  ],
  ['a sum of nothing', [{ ...weather, aggregate: { s: { fn: 'sum' } } }], /\.aggregate\.s: sum needs of/],
  [
    'a last of no order',
    [{ ...weather, aggregate: { s: { fn: 'last', of: 'temp' } } }],
    /\.aggregate\.s: last needs asOf/,
  ],
  ['an unknown aggregate', [{ ...weather, aggregate: { s: { fn: 'mode', of: 'temp' } } }], /\.aggregate\.s\.fn: /],
  ['no aggregate', [{ ...weather, aggregate: {} }], /\.aggregate: names no aggregate/],
  [
    'an event time that the base does not have',
    [weather, { ...planes, as: 'p', asOf: { time: 'tailnum' } }],
    /^data\.joins\[1\]\.asOf\.leftTime: is missing: contract\.eventTime \(hour_of_weather\)/,
    { contract: { ...flightDelay.contract, eventTime: 'hour_of_weather' } },
  ],
])('%s in a join is told with its place', (_name, joins, problem, changes) => {
  expect(problemsOf(joins, changes)).toContainEqual(expect.stringMatching(problem));
});

it('a chain, one table under two names, as-of joins and aggregates of the base are fine', () => {
  const joins = [
    { ...weather, as: 'here', asOf: { ...asOf, toleranceHours: 2 } },
    { table: 'weather', as: 'there', on: [{ left: 'dest', right: 'origin' }], asOf },
    planes,
    { table: 'planes', as: 'same_year', from: 'planes', on: ['year'], aggregate: count },
    { table: 'flights', as: 'week', on: ['carrier'], asOf, window: { days: 7 }, aggregate: count },
  ];
  const n = { type: 'number', from: 'week.n' };
  const { contract } = flightDelay;
  expect(problemsOf(joins, { contract: { ...contract, features: { ...contract.features, n } } })).toEqual([]);
});
