import { setTimeout as delay } from 'node:timers/promises';
import { problem, type Check } from '../../../oversight/check.js';

/** What an answer takes that is still one: servers under load take a second. */
export const answerWithinMs = 10_000;

/** What was asked, or that it did not answer in time: a doctor that waits for what hangs finds nothing. */
export async function answerWithin(
  name: string,
  asked: Promise<Check | Check[]>,
  limitMs = answerWithinMs,
): Promise<Check[]> {
  const waiting = new AbortController();
  const late = delay(limitMs, undefined, { signal: waiting.signal }).then(
    () => [
      problem(name, `no answer within ${limitMs / 1000} s`, 'See its log with `npx perdure status`; does it hang?'),
    ],
    () => [],
  );
  try {
    return await Promise.race([asked.then((found) => [found].flat()), late]);
  } finally {
    waiting.abort();
  }
}
