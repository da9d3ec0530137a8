import { messageOf } from '../../domain/errors.js';
const everyMs = 20;

/**
 * Asks until the answer is there. A failure of the question ends it, so that what is asked may also assert.
 *
 * @throws Error with the label when the deadline passes
 */
export async function eventually<T>(
  label: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineMs = 30_000,
): Promise<T> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > until) throw new Error(`${label}: not within ${deadlineMs / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** The same, where a failure of the question says no more than that the answer is not there yet. */
export async function pollUntil<T>(
  label: string,
  deadlineMs: number,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  let problem = '';
  const tolerant = async () => {
    try {
      return await ask();
    } catch (error) {
      problem = messageOf(error);
      return undefined;
    }
  };
  return eventually(label, tolerant, deadlineMs).catch((error: unknown) => {
    throw new Error(`${messageOf(error)} ${problem}`);
  });
}
