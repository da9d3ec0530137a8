import { PerdureError } from '../../domain/errors.js';

export type Coding = 'gzip' | 'deflate';

/** Each takes the whole budget of a body once more. */
const codingsMax = 3;
const named: Readonly<Record<string, Coding | undefined>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate' };

/**
 * The codings of a `Content-Encoding` header in the order in which they are taken off.
 * @throws PerdureError `input/unsupported`.
 */
export function codingsOf(header: string | undefined): Coding[] {
  if (header === undefined) return [];
  const words = header
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '' && word !== 'identity');
  const codings = words.map((word) => {
    const coding = Object.hasOwn(named, word) ? named[word] : undefined;
    if (coding === undefined)
      throw unsupported(`The content encoding ${JSON.stringify(word.slice(0, 60))} is not supported.`);
    return coding;
  });
  if (codings.length > codingsMax) throw unsupported(`The content encoding names ${codings.length} codings.`);
  return codings.reverse();
}

function unsupported(problem: string): PerdureError {
  return new PerdureError('input/unsupported', `${problem} Send gzip, deflate or none.`);
}
