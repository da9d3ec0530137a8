import { textProblem } from './text/text-problem.js';

/** What may be said to a running workflow: names of texts, with their greatest length. */
export type TextRules = Readonly<Record<string, { max: number; required?: boolean }>>;

/**
 * What is wrong with a message that was sent to a running workflow; null where nothing is. A workflow asks before it
 * does anything: what has another shape must neither fail its task nor reach an activity, whose input has a limit. Zod,
 * which the activities parse with, is not in the workflows' bundle.
 */
export function messageProblem(said: unknown, rules: TextRules): string | null {
  if (said === null || typeof said !== 'object' || Array.isArray(said)) return 'it must be an object';
  for (const name of Object.keys(said)) if (!Object.hasOwn(rules, name)) return `${name.slice(0, 100)}: unknown field`;
  for (const [name, { max, required = false }] of Object.entries(rules)) {
    const value: unknown = Object.hasOwn(said, name) ? Reflect.get(said, name) : undefined;
    if (value === undefined && !required) continue;
    if (typeof value !== 'string') return `${name}: must be a string`;
    if (required && value.trim() === '') return `${name}: must not be empty`;
    if (value.length > max) return `${name}: must have at most ${max} characters`;
    const problem = textProblem(value);
    if (problem !== undefined) return `${name}: ${problem}`;
  }
  return null;
}

/** Something that was sent, short enough for a record, in characters that can be stored. */
export function messageExcerpt(said: unknown): string {
  return shortened(JSON.stringify(said) ?? String(said), 1000);
}

/** The beginning of a text, no character cut in half. */
export function shortened(text: string, max: number): string {
  return text.length <= max ? text : text.slice(0, max).replace(/\p{Surrogate}$/u, '');
}
