import { continueAsNew, executeChild, patched, sleep } from '@temporalio/workflow';
import type { GivingBack } from '../../activities/rollout/giving-back.js';
import { growingPauseMs } from '../../domain/growing-pause.js';
import { workflowIds } from '../../domain/ids.js';
import type { GiveBackRequest } from '../../domain/workflow-inputs.js';
import { reconcileActivities } from '../activity-profiles.js';
import { failureText } from '../failure-text.js';
import { historyIsLong } from '../long-history.js';
import { rollbackModel } from './rollback-model.js';
import { mark, Timeline } from '../timeline.js';

const pause = { leastMs: 60_000 };

/**
 * Gives a share of traffic that nobody watches back to the champion, proven as any rollback is, and closes its rollout
 * with the reason.
 */
export async function giveShareBack(input: GiveBackRequest, carried?: { startedMs: number }): Promise<string> {
  const startedMs = carried?.startedMs ?? Date.now();
  for (;;) {
    const plan = await reconcileActivities().planGivingBack(input);
    const { rolloutId, environment, model, why } = plan;
    mark({ model, environment });
    const timeline = new Timeline(`Abandoned rollout of ${model} in ${environment}`);
    const done = await tryToGiveBack(plan, timeline, startedMs);
    if (done !== undefined) {
      const reason = `${why}; ${done}`;
      await reconcileActivities().closeUnwatched({ rolloutId, reason });
      timeline.finished(reason);
      mark({ outcome: 'failed' });
      return reason;
    }
    if (historyIsLong()) await continueAsNew<typeof giveShareBack>(input, { startedMs });
  }
}

/**
 * @returns what was done; undefined where the champion could not be put back, after a pause in which nobody else tries.
 */
async function tryToGiveBack(plan: GivingBack, timeline: Timeline, startedMs: number): Promise<string | undefined> {
  const { to, note, environment, model, why } = plan;
  if (!to) return note;
  const { champion, epoch } = to;
  timeline.doing(`returning its share to version ${champion}`);
  try {
    const back = await executeChild(rollbackModel, {
      workflowId: workflowIds.rollback(environment, model, epoch),
      args: [
        {
          model,
          environment,
          to: champion,
          epoch,
          actor: 'system:reconciler',
          reason: `${why}: the rollout is abandoned`.slice(0, 900),
        },
      ],
      staticSummary: `${model} in ${environment}: ${why}`.slice(0, 200),
    });
    return `version ${back.version} answers all traffic again since epoch ${back.epoch}`;
  } catch (error) {
    // Those of 0.1.0 failed after a minute and were begun again by the reconciler; theirs replay as they went.
    const triesOn = patched('tries-again-itself');
    const pauseMs = triesOn ? growingPauseMs(Date.now() - startedMs, pause) : pause.leastMs;
    const again = new Date(Date.now() + pauseMs).toISOString();
    timeline.note(`version ${champion} could not be restored: ${failureText(error)}. Retry at ${again}`);
    await sleep(pauseMs);
    if (!triesOn) throw error;
    return undefined;
  }
}
