import { isLongerThan, textProblem } from '../../domain/text/plain-text.js';
import { quoted, refusal } from '../../inference/refusal.js';
import type { HeaderLookup } from '../routing/active-route.js';

/** What makes routing sticky, in Unicode code points at most. */
const keyCharactersMax = 1_024;
/** By this header a tester asks for one version of a route, as by its path. */
const versionHeader = 'x-perdure-version';

/** @throws PerdureError `input/invalid` for a key that cannot be stored. */
export function checkKey(key: string): void {
  if (isLongerThan(key, keyCharactersMax)) {
    throw refusal(
      `The header X-Perdure-Key is longer than ${keyCharactersMax.toLocaleString('en')} characters.`,
      'Send a shorter key.',
    );
  }
  const problem = textProblem(key);
  if (problem !== undefined) throw refusal(`The header X-Perdure-Key ${problem}.`, 'Send a plain text.');
}

/** The version that a tester asks for. @throws PerdureError `input/invalid`. */
export function testedVersion(header: HeaderLookup): number | undefined {
  const text = header(versionHeader);
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw refusal(`The header X-Perdure-Version is ${quoted(text)}.`, 'Send the number of a version, for example 2.');
  return Number(text);
}
