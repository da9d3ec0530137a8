import { describe, expect, test } from 'vitest';
import { featureSchema } from '../../../../../domain/data/feature/feature.js';
import { readValue, ValueProblem } from '../../../../../domain/data/feature/read-value.js';

const read = (feature: unknown, value: unknown) => {
  const found = readValue(featureSchema.parse(feature), value);
  return found instanceof ValueProblem ? `${found.problem}: ${found.remedy}` : found;
};

describe('an integer', () => {
  test.each([
    [0, 0n],
    [-0, 0n],
    [2 ** 53 - 1, 2n ** 53n - 1n],
    ['9007199254740993', 9_007_199_254_740_993n],
    [9_007_199_254_740_993n, 9_007_199_254_740_993n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['9223372036854775807', 2n ** 63n - 1n],
  ])('%s keeps all its digits', (sent, value) => expect(read({ type: 'integer' }, sent)).toBe(value));

  test.each([
    [1.5, /1.5 is not a whole number/],
    ['1.5', /is not a whole number/],
    ['', /is not a whole number/],
    [true, /is not a whole number/],
    ['9223372036854775808', /more than 64 bits/],
    [1e19, /more than 64 bits/],
    [1e17, /may not be exact: Write all its digits/],
    [NaN, /is not a whole number/],
  ])('%s is refused', (sent, message) => expect(read({ type: 'integer' }, sent)).toMatch(message));

  test('is held against bounds of any size, both ends included', () => {
    const feature = { type: 'integer', min: '9007199254740993', max: '9007199254740995' };
    expect(read(feature, '9007199254740993')).toBe(9_007_199_254_740_993n);
    expect(read(feature, '9007199254740992')).toMatch(/9007199254740992 is outside its range 9007199254740993/);
    expect(read(feature, '9007199254740996')).toMatch(/outside its range/);
  });
});

describe('a vector', () => {
  const feature = { type: 'vector', length: 3 };
  test('keeps every FP32 number, minus zero and the smallest among them', () => {
    const numbers = [-0, 2 ** -149, 3.4028234663852886e38];
    expect(read(feature, numbers)).toEqual(numbers);
    expect(read(feature, [0.1, 0.2, 0.3])).toEqual([0.1, 0.2, 0.3].map(Math.fround));
  });
  test.each([
    [[1, 2], /the vector has 2 numbers instead of 3/],
    [[1, 2, 3, 4], /the vector has 4 numbers instead of 3/],
    [[1, NaN, 3], /place 1 of the vector: NaN is not a finite FP32 number/],
    [[1, 2, null], /place 2 of the vector: null is not a number/],
    [[1, 2, 1e39], /place 2 of the vector: 1e\+39 is not a finite/],
    [1, /1 is not a vector/],
    [null, /the value is missing, and this feature is not nullable: Send 3 numbers/],
  ])('%j is refused', (sent, message) => expect(read(feature, sent)).toMatch(message));
  test('may be missing where it is nullable', () => expect(read({ ...feature, nullable: true }, null)).toBeNull());
});

describe('a list', () => {
  test('of strings keeps its order, repeated, empty and emoji among them', () => {
    const feature = { type: 'list', of: { type: 'string' }, maxLength: 4 };
    for (const list of [[], [''], ['b', 'a', 'b', '🍕']]) expect(read(feature, list)).toEqual(list);
  });
  test.each([
    [['a', 'b', 'c'], /the list has 3 values: Send at most 2/],
    [['a', null], /place 1 of the list: null is not a string/],
    [['x'.repeat(257)], /place 0 of the list: the string has 257 characters/],
    ['a', /"a" is not a list/],
  ])('%j is refused', (sent, message) =>
    expect(read({ type: 'list', of: { type: 'string' }, maxLength: 2 }, sent)).toMatch(message),
  );
});

test('a time is an ISO 8601 text or whole microseconds, before 1970 too', () => {
  expect(read({ type: 'timestamp' }, '1969-12-31T23:59:59.999999Z')).toBe(-1n);
  expect(read({ type: 'timestamp' }, -1)).toBe(-1n);
  expect(read({ type: 'timestamp' }, '2016-12-31T23:59:60Z')).toMatch(/is not a time: Send a time: ISO 8601/);
  expect(read({ type: 'timestamp' }, 1.5)).toMatch(/is not a time/);
  expect(read({ type: 'timestamp' }, '999999999999999999')).toMatch(/outside the years 0 to 9999/);
});

test('true and false are nothing else', () => {
  expect(read({ type: 'boolean' }, false)).toBe(false);
  for (const sent of [0, 1, 'true', '']) expect(read({ type: 'boolean' }, sent)).toMatch(/is not true or false/);
});
