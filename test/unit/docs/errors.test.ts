import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { errorCodes, errorTraits } from '../../../domain/errors.js';

const rows = readFileSync(path.join(import.meta.dirname, '../../../docs/errors.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const match = /^\| `([^`]+)` \| (.+) \| (\d+) \| (\d+) \| (yes|no) \|$/.exec(line);
    return match
      ? [
          {
            code: match[1],
            meaning: match[2],
            httpStatus: Number(match[3]),
            exitCode: Number(match[4]),
            retryable: match[5] === 'yes',
          },
        ]
      : [];
  });

test('docs/errors.md lists exactly the codes of the table, with their status, exit code and whether they are retried', () => {
  const documented = rows.map(({ code, httpStatus, exitCode, retryable }) => ({
    code,
    httpStatus,
    exitCode,
    retryable,
  }));
  expect(documented).toEqual(errorCodes.map((code) => ({ code, ...errorTraits(code) })));
});

test('codes stand in alphabetical order, so that a new one has one place', () => {
  expect(errorCodes).toEqual(errorCodes.toSorted());
});
