import { isUtf8 } from 'node:buffer';
import { refusal } from '../../inference/refusal.js';

/** Whether all characters are ASCII, as nearly every header is: then there is nothing to decode. */
const ascii = /^[\0-\x7f]*$/;

/**
 * A header's or a metadata entry's value as text. Node hands over its bytes as if each were a character; callers mean
 * UTF-8, as the keys of testers in definitions are written.
 * @throws PerdureError `input/invalid` for bytes that are not UTF-8.
 */
export function headerText(name: string, value: string | Buffer): string {
  if (typeof value === 'string' && ascii.test(value)) return value;
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  if (!isUtf8(bytes)) throw refusal(`The header ${name} is not UTF-8.`, 'Send its bytes in UTF-8.');
  return bytes.toString('utf8');
}
