import { describe, expect, test } from 'vitest';
import { characterCount, findTextProblem, isLongerThan, plainTextSchema } from '../../../../domain/text/plain-text.js';

const half = '\ud83c';

describe('a text', () => {
  test.each(['', 'a', 'März', 'Ma\u0308rz', '🍕', '👩‍👩‍👧', 'line\nbreak\ttab', '\ufeffx', '\uffff'])(
    '%j is taken as it is',
    (text) => {
      expect(plainTextSchema.parse(text)).toBe(text);
    },
  );

  test.each([
    ['a\0b', /NUL .* position 2/],
    [`ab${half}`, /surrogate pair at position 3/],
    [`${half}x`, /surrogate pair at position 1/],
    ['🍕'.split('').toReversed().join(''), /surrogate pair/],
  ])('%j is refused, with the place', (text, message) => {
    expect(plainTextSchema.safeParse(text).error?.issues[0]?.message).toMatch(message);
  });
});

describe('a JSON value', () => {
  test('is searched to its depth, names of members included', () => {
    expect(findTextProblem({ a: ['x', { b: 'y\0' }] })).toMatchObject({ path: ['a', 1, 'b'] });
    expect(findTextProblem({ a: { [`b${half}`]: 1 } })).toMatchObject({
      path: ['a'],
      message: expect.stringContaining('name') as string,
    });
    expect(findTextProblem('\0')).toMatchObject({ path: [] });
    expect(findTextProblem({ a: [1, null, true, 'März 🍕'] })).toBeUndefined();
  });

  test('that is nested a hundred thousand deep is searched, too', () => {
    const deep = (inner: string) => JSON.parse(`${'['.repeat(100_000)}${inner}${']'.repeat(100_000)}`) as unknown;
    expect(findTextProblem(deep('1'))).toBeUndefined();
    expect(findTextProblem(deep('"\\u0000"'))?.message).toContain('NUL');
  });
});

describe('the length of a text', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['🍕🍕🍕', 3],
    ['e\u0301', 2],
    ['👩‍👩‍👧', 5],
    [half, 1],
    [`a🍕${half}`, 3],
  ])('%j is its number of code points', (text, count) => {
    expect(characterCount(text)).toBe(count);
    expect(isLongerThan(text, count)).toBe(false);
    if (count > 0) expect(isLongerThan(text, count - 1)).toBe(true);
  });
});
