import { continueAsNew, ParentClosePolicy, patched, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import { workflowIds } from '../domain/ids.js';
import { reconcileActivities, watching } from './activity-profiles.js';
import { giveShareBack } from './rollout/give-share-back.js';
import { historyIsLong } from './long-history.js';
import { isAlreadyStarted } from './already-started.js';
import { Timeline } from './timeline.js';

/** Between two watches. Within one, `activities/reconciliation.ts` says how often it looks. */
const pause = '15s';
const passesMax = 500;

/**
 * Looks now and then whether every open row has a workflow that will end it, and every share of traffic somebody who
 * watches it. One for all, for ever.
 */
export async function reconcile(): Promise<void> {
  const timeline = new Timeline('Rows whose workflows ended without ending them are closed');
  for (let pass = 0; pass < passesMax && !historyIsLong() && !workflowInfo().continueAsNewSuggested; pass += 1) {
    // Of hours in which nothing is found the history holds one event. Reconcilers of 0.1.0 held every pass; theirs
    // replay as they went.
    const { closed, unwatched } = patched('watches-for-hours')
      ? await watching().watchOpenRows()
      : await reconcileActivities().reconcileOpenRows();
    for (const line of closed) timeline.note(line);
    for (const share of unwatched) {
      const { environment, model } = share;
      const start = startChild(giveShareBack, {
        workflowId: workflowIds.giveBack(environment, model),
        args: [{ rolloutId: share.rolloutId, why: share.why }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${model} in ${environment}: ${share.why}`.slice(0, 200),
      });
      await start.catch((error: unknown) => {
        if (!isAlreadyStarted(error)) throw error;
      });
    }
    await sleep(pause);
  }
  await continueAsNew<typeof reconcile>();
}
