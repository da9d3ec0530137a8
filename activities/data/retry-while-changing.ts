import { setTimeout as pause } from 'node:timers/promises';
import { PerdureError } from '../../domain/errors.js';

const triesMax = 20;
const pauseMaxMs = 5_000;

/**
 * Does `work` again when the lake changed under it, a little later each time; a lake that never holds still is left to
 * the retries of the activity.
 */
export async function retryWhileChanging<T>(
  signal: AbortSignal,
  report: (progress: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PerdureError) || error.code !== 'data/changing' || attempt === triesMax) throw error;
      report(`listing again: ${error.message}`);
      await pause(Math.min(50 * 2 ** attempt, pauseMaxMs), undefined, { signal });
    }
  }
}
