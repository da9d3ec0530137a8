import { expect, test } from 'vitest';
import { PerdureError, type ErrorCode } from '../../../../domain/errors.js';
import { countsAsVersionError } from '../../../../serving/inference/counts-as-version-error.js';

const errorOf = (code: ErrorCode) => new PerdureError(code, code);

test.each([
  ['serving/failed', true],
  ['serving/timed-out', true],
  ['serving/overloaded', true],
  ['serving/out-of-service', true],
  ['caller/left', false],
  ['caller/timed-out', false],
] as const)('%s counts against the version: %s', (code, counts) => {
  expect(countsAsVersionError(errorOf(code))).toBe(counts);
});

test('a refusal counts where another version takes the request, and is the caller’s error elsewhere', () => {
  expect(countsAsVersionError(errorOf('input/invalid'), true)).toBe(true);
  expect(countsAsVersionError(errorOf('input/invalid'), false)).toBe(false);
});
