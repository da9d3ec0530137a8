import { PerdureError } from '../domain/errors.js';

const printable = /^[\x21-\x5b\x5d-\x7e]+$/;
const lengthMax = 1024;

/** @throws PerdureError `input/invalid` for a key that some server or file system would read as another one. */
export function checkObjectKey(key: string): void {
  const segments = key.split('/');
  const problem =
    problemOf(key) ??
    (segments.includes('')
      ? 'it has an empty segment'
      : segments.some((segment) => segment === '.' || segment === '..')
        ? 'it has a . or .. segment'
        : undefined);
  if (problem !== undefined) throw invalid('key', key, problem);
}

/** A prefix may end in the middle of a segment or with a slash. @throws PerdureError `input/invalid`. */
export function checkObjectPrefix(prefix: string): void {
  if (prefix === '') return;
  const problem =
    problemOf(prefix) ??
    (prefix.startsWith('/') ? 'it starts with a slash' : prefix.split('/').includes('..') ? 'it has a .. segment' : undefined);
  if (problem !== undefined) throw invalid('prefix', prefix, problem);
}

function problemOf(text: string): string | undefined {
  if (text.length > lengthMax) return `it is longer than ${lengthMax} characters`;
  return printable.test(text) ? undefined : 'it may hold printable ASCII without blanks and backslashes only, and must not be empty';
}

function invalid(what: string, text: string, problem: string): PerdureError {
  return new PerdureError('input/invalid', `${JSON.stringify(text.slice(0, 200))} is not an object ${what}: ${problem}.`);
}
