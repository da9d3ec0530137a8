import { continueAsNew, isCancellation, sleep } from '@temporalio/workflow';
import { compacting, daySearch } from './activity-profiles.js';
import { failureText } from './failure-text.js';
import { Timeline } from './timeline.js';

/** A day is over once a day; what comes late is not waited for. */
const pause = '1h';
const passesMax = 24;
/** Calls for one day in a row: what is left after them waits for the next pass. */
const callsMax = 4;

/**
 * Merges what gateways shipped on days that are over into few larger objects, and labels by the days of their
 * predictions: the logs in turn, a day at a time. One for all, for ever.
 */
export async function compactLogs(): Promise<void> {
  const timeline = new Timeline('Logs of days that are over are compacted');
  for (let pass = 0; pass < passesMax; pass += 1) {
    const { days, more: isBehind } = await daySearch().findDaysToCompact();
    for (const day of days) {
      const name = `${day.environment ?? 'labels'} of ${day.model}, ${day.day}`;
      try {
        for (let call = 0, more = true; more && call < callsMax; call += 1) {
          const done = await compacting().compactDay(day);
          if (done.merged > 0) timeline.note(`${name}: ${done.merged} objects are ${done.parts}, ${done.rows} rows`);
          more = done.more;
        }
      } catch (error) {
        if (isCancellation(error)) throw error;
        timeline.note(`${name}: left to the next pass: ${failureText(error)}`);
      }
    }
    if (!isBehind) await sleep(pause);
    // Each day that was compacted is a handful of events.
    if (days.length > 0) break;
  }
  await continueAsNew<typeof compactLogs>();
}
