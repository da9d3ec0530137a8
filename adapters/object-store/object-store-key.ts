import { PerdureError } from '../../domain/errors.js';
import { objectKeyProblem, objectPrefixProblem } from '../../domain/object-key-problem.js';

/** @throws PerdureError `input/invalid` for a key that some server or client would read as another one. */
export function checkObjectKey(key: string): void {
  refuse('key', key, objectKeyProblem(key));
}

/** @throws PerdureError `input/invalid`. */
export function checkObjectPrefix(prefix: string): void {
  refuse('prefix', prefix, objectPrefixProblem(prefix));
}

function refuse(what: string, text: string, problem: string | undefined): void {
  if (problem !== undefined)
    throw new PerdureError(
      'input/invalid',
      `${JSON.stringify(text.slice(0, 200))} is not an object ${what}: ${problem}.`,
    );
}
