import { executeChild, sleep } from '@temporalio/workflow';
import { workflowIds } from '../../domain/ids.js';
import type { GiveBackRequest } from '../../domain/requests.js';
import { reconcileActivities } from '../activity-profiles.js';
import { failureText } from '../failure-text.js';
import { rollbackModel } from './rollback-model.js';
import { mark, Timeline } from '../timeline.js';

/**
 * Gives a share of traffic that nobody watches back to the champion, proven as any rollback is, and closes its rollout
 * with the reason.
 */
export async function giveShareBack(input: GiveBackRequest): Promise<string> {
  const plan = await reconcileActivities().planGivingBack(input);
  const { rolloutId, environment, model, why } = plan;
  mark({ model, environment });
  const timeline = new Timeline(`A rollout of ${model} in ${environment} that nobody watches`);
  let done = plan.note;
  if (plan.to) {
    const { champion, epoch } = plan.to;
    timeline.doing(`giving its share back to version ${champion}`);
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
            reason: `${why}: nobody watches the rollout`.slice(0, 900),
          },
        ],
        staticSummary: `${model} in ${environment}: ${why}`.slice(0, 200),
      });
      done = `version ${back.version} answers alone again since epoch ${back.epoch}`;
    } catch (error) {
      timeline.note(`version ${champion} could not be put back: ${failureText(error)}. It is tried again in a minute`);
      await sleep('1m'); // While this waits nobody else tries.
      throw error;
    }
  }
  const reason = `${why}; ${done}`;
  await reconcileActivities().closeUnwatched({ rolloutId, reason });
  timeline.finished(reason);
  mark({ outcome: 'failed' });
  return reason;
}
