import { Context } from '@temporalio/activity';
import { PerdureError } from '../domain/errors.js';
import { growingPauseMs } from '../domain/growing-pause.js';

/** How long the activity that runs here has been tried. */
export const waitedMs = (): number => Date.now() - Context.current().info.scheduledTimestampMs;

const pause = { leastMs: 500, mostMs: 60_000 };

/**
 * Says that another goes first, and when to ask again: the activity waits in Temporal between its tries, where it holds
 * no worker's slot and adds nothing to the history, however long it takes.
 */
export function waitBehind(
  workflowId: string,
  { atMostMs = Infinity, ...details }: { lease: string; atMostMs?: number },
): PerdureError {
  const retryAfterMs = Math.ceil(Math.min(growingPauseMs(waitedMs(), pause), atMostMs));
  return new PerdureError('lease/held', `waiting for ${workflowId}, which is ahead`, { ...details, retryAfterMs });
}
