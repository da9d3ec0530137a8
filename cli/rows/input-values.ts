import type { PerdureError } from '../../domain/errors.js';
import { int64Json, int64Of } from '../../domain/data/feature/int64.js';
import { utcMicros } from '../../domain/data/feature/utc-micros.js';
import { textProblem } from '../../domain/text/plain-text.js';

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export type Refuse = (problem: string) => PerdureError;
export type SentValue = string | number | boolean | null;

/**
 * A value of a row as a tensor of this datatype sends it.
 * @param texts whether all values are texts, and those of other types are to be read
 */
export function sentValue(datatype: string, value: unknown, texts: boolean, refuse: Refuse): SentValue {
  if (value === null || value === undefined) return null;
  switch (datatype) {
    case 'BYTES':
      return textOf(value, refuse);
    case 'BOOL':
      return booleanOf(value, texts, refuse);
    case 'INT64':
      return integerOf(value, refuse);
    default:
      return numberOf(value, texts, refuse);
  }
}

function booleanOf(value: unknown, texts: boolean, refuse: Refuse): boolean {
  if (typeof value === 'boolean') return value;
  if (texts && typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw refuse(`is ${shown(value)}; expected true or false`);
}

/** A whole number, by its digits where a number would not be exact; or a time, which is left as it is written. */
function integerOf(value: unknown, refuse: Refuse): number | string {
  const whole = int64Of(typeof value === 'string' ? value.trim() : value);
  if (whole !== undefined) return int64Json(whole);
  if (typeof value === 'string' && utcMicros(value) !== undefined) return value;
  throw refuse(`is ${shown(value)}; expected a whole number of 64 bits, or an ISO 8601 time where the feature is one`);
}

const shown = (value: unknown): string => (typeof value === 'bigint' ? String(value) : JSON.stringify(value));

function textOf(value: unknown, refuse: Refuse): string {
  if (typeof value !== 'string') {
    const remedy = ['number', 'boolean', 'bigint'].includes(typeof value) ? `: write "${String(value)}"` : '';
    throw refuse(`is ${shown(value)}; expected a string${remedy}`);
  }
  const problem = textProblem(value);
  if (problem !== undefined) throw refuse(problem);
  return value;
}

function numberOf(value: unknown, texts: boolean, refuse: Refuse): number | null {
  const isRead = texts && typeof value === 'string' && decimal.test(value.trim());
  const number = isRead || typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') {
    const remedy = texts
      ? ': write it in digits, with a decimal point and optionally an exponent, or leave the cell empty for null'
      : '';
    throw refuse(`is ${JSON.stringify(value)}; expected a number${remedy}`);
  }
  if (Number.isNaN(number)) return null;
  if (!Number.isFinite(number)) throw refuse(`is ${isRead ? value : number}, which is infinite or out of range`);
  return number;
}
