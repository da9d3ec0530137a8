import { textProblem } from './text/plain-text.js';

const bytesMax = 1024;

/**
 * Why an object cannot have this key, or undefined. Any name will do but those that some server or client reads as
 * another one: a path with `.` or `..` in it, an empty folder, a backslash.
 */
export function objectKeyProblem(key: string): string | undefined {
  const segments = key.split('/');
  if (key === '') return 'it is empty';
  if (segments.includes('')) return 'it has an empty segment';
  if (segments.some((segment) => segment === '.' || segment === '..')) return 'it has a . or .. segment';
  return nameProblem(key);
}

/** As `objectKeyProblem`; a prefix may end in the middle of a segment or with a slash, and be empty. */
export function objectPrefixProblem(prefix: string): string | undefined {
  if (prefix.startsWith('/')) return 'it starts with a slash';
  return prefix.split('/').includes('..') ? 'it has a .. segment' : nameProblem(prefix);
}

function nameProblem(text: string): string | undefined {
  if (new TextEncoder().encode(text).length > bytesMax) return `it is longer than ${bytesMax} bytes`;
  if (text.includes('\\')) return 'it has a backslash';
  const problem = textProblem(text);
  return problem && `it ${problem}`;
}
