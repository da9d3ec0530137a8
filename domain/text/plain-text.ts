import { z } from 'zod';
import { textProblem } from './text-problem.js';

export { textProblem };

/** A string that can be stored: what every text from outside is parsed with. */
export const plainTextSchema = z.string().superRefine((text, context) => {
  const problem = textProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** A text as it can be stored: for what others say, such as a library's message that quotes data. */
export const storableText = (text: string): string =>
  text.replaceAll('\0', '\ufffd').replaceAll(/\p{Surrogate}/gu, '\ufffd');

interface Place {
  name: string | number;
  within: Place | undefined;
}

/** The first text within a JSON value that cannot be stored, names of members included, and where it is. */
export function findTextProblem(value: unknown): { path: (string | number)[]; message: string } | undefined {
  // A list instead of recursion, and places as links: how deep a value is nested is up to its sender.
  const open: { place: Place | undefined; value: unknown }[] = [{ place: undefined, value }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { place } = next;
    if (typeof next.value === 'string') {
      const message = textProblem(next.value);
      if (message !== undefined) return { path: pathTo(place), message };
    } else if (typeof next.value === 'object' && next.value !== null) {
      const list = Array.isArray(next.value);
      const members = Object.entries(next.value);
      const wrong = list ? undefined : members.find(([name]) => textProblem(name) !== undefined);
      if (wrong) return { path: pathTo(place), message: `has a member whose name ${textProblem(wrong[0])}` };
      for (const [name, inner] of members.toReversed())
        open.push({ place: { name: list ? Number(name) : name, within: place }, value: inner });
    }
  }
  return undefined;
}

function pathTo(place: Place | undefined): Place['name'][] {
  const path: Place['name'][] = [];
  for (let at = place; at !== undefined; at = at.within) path.push(at.name);
  return path.toReversed();
}

/**
 * How long a text is, in Unicode code points: the one measure of `maxLength`, as `length` is in SQL. JavaScript's own
 * counts an emoji twice.
 */
export function characterCount(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const isPair = (text.codePointAt(index) ?? 0) > 0xffff;
    if (isPair) {
      count -= 1;
      index += 1;
    }
  }
  return count;
}

/** Whether a text has more characters than `max`. Costs nothing for a text that is short however it is counted. */
export const isLongerThan = (text: string, max: number): boolean => text.length > max && characterCount(text) > max;
