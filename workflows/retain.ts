import { continueAsNew, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { RetentionPass } from '../activities/serving/retention.js';
import { removing, rollingUp } from './activity-profiles.js';
import { failureText } from './failure-text.js';
import { historyIsLong } from './long-history.js';
import { Timeline } from './timeline.js';

/**
 * What gateways counted in seconds is rolled up this often; a look of the judge reads so many seconds one by one, and
 * one row for all before.
 */
const pause = '1m';
/** What is old is removed once an hour. */
const passesAnHour = 60;
const passesMax = 120;
/** Calls of one job in a row: what is left after them waits for the next hour. */
const callsMax = 20;

/** Rolls up what gateways counted, and removes rows and logs that are no longer kept. One for all, for ever. */
export async function retain(): Promise<void> {
  const timeline = new Timeline('Counts are rolled up, and what is no longer kept is removed');
  for (let pass = 0; pass < passesMax && !workflowInfo().continueAsNewSuggested && !historyIsLong(); pass += 1) {
    await rollingUp().rollUpServingWindows();
    if (pass % passesAnHour === 0) {
      await untilDone(removing().removeOldRows, timeline);
      await untilDone(removing().removeOldLogs, timeline);
      await untilDone(removing().removeSupersededFiles, timeline);
    }
    await sleep(pause);
  }
  await continueAsNew<typeof retain>();
}

/**
 * What cannot be removed now, because a server is away, must not hold up the roll-ups: it is tried again in an hour.
 */
async function untilDone(remove: () => Promise<RetentionPass>, timeline: Timeline): Promise<void> {
  try {
    for (let call = 0, more = true; more && call < callsMax; call += 1) {
      const done = await remove();
      for (const [what, count] of Object.entries(done.removed)) timeline.note(`${count} ${what} removed`);
      more = done.more;
    }
  } catch (error) {
    if (isCancellation(error)) throw error;
    timeline.note(`the removal stopped: ${failureText(error)}`);
  }
}
