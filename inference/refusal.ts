import { PerdureError } from '../domain/errors.js';

/** An error for a request that the caller must change. @param remedy a sentence that says what to send instead. */
export function refusal(problem: string, remedy: string): PerdureError {
  return new PerdureError('input/invalid', `${problem} ${remedy}`);
}

/** A value as an error message may repeat it: short, and plainly delimited. */
export function quoted(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
