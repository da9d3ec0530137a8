import { continueAsNew, executeChild, patched, sleep, workflowInfo } from '@temporalio/workflow';
import { growingPauseMs } from '../../domain/growing-pause.js';
import { workflowIds } from '../../domain/ids.js';
import type { LateLabelReview } from '../../domain/rollout/late-label-review.js';
import type { ReviewRequest } from '../../domain/workflow-inputs.js';
import { quickActivities, lookActivities, inputChecks } from '../activity-profiles.js';
import { historyIsLong } from '../long-history.js';
import { rollbackModel } from './rollback-model.js';
import { mark, Timeline } from '../timeline.js';

/** Where a review is; carried over when its history grows long. */
interface ReviewProgress {
  startedMs: number;
  looks: number;
}

/**
 * After a rollout: waits until enough labels have come, lets the judge look again, and goes back or writes down that it
 * was right.
 */
export async function reviewRollout(input: ReviewRequest, carried?: ReviewProgress): Promise<LateLabelReview> {
  const { rolloutId } = await inputChecks().parseReviewRequest(input);
  const review = await quickActivities().planReview({ rolloutId });
  const { model, environment, version } = review;
  mark({ model, version: String(version), environment });
  const timeline = new Timeline(`Late-label review of the rollout of ${model}@${version} in ${environment}`);
  const startedMs = carried?.startedMs ?? workflowInfo().startTime.getTime();

  let word: LateLabelReview;
  for (let look = (carried?.looks ?? 0) + 1; ; look += 1) {
    const waitedMs = Date.now() - startedMs;
    const leftMs = review.giveUpAfterMs - waitedMs;
    const seen = await lookActivities().lookAtLabels({ rolloutId, look, last: leftMs <= 0 });
    if (seen.decided) {
      word = seen.word;
      break;
    }
    if (historyIsLong()) await continueAsNew<typeof reviewRollout>(input, { startedMs, looks: look });
    timeline.doing(`waiting for labels: ${seen.word.reason}`);
    // Labels that have not come for long are looked for less often. Reviews of 0.1.0 kept their pace; theirs replay as
    // they went.
    const grownMs = growingPauseMs(waitedMs, { leastMs: review.lookEveryMs });
    const pauseMs = grownMs > review.lookEveryMs && patched('looks-thin-out') ? grownMs : review.lookEveryMs;
    await sleep(Math.max(1, Math.min(pauseMs, leftMs)), { summary: 'waiting for labels' });
  }
  await quickActivities().recordLastWord({ rolloutId, word });
  mark({ outcome: word.verdict });
  timeline.finished(`${word.verdict}: ${word.reason}`);

  if (word.verdict === 'fail' && review.onFail === 'rollback') {
    const epoch = await quickActivities().epochToLeave({ environment, model, version });
    if (epoch === null) {
      timeline.note(`version ${version} is no longer served: nothing to roll back`);
      return word;
    }
    timeline.doing('rolling back');
    const back = await executeChild(rollbackModel, {
      workflowId: workflowIds.rollback(environment, model, epoch),
      args: [{ model, environment, actor: 'system:labels', reason: `late labels: ${word.reason}`.slice(0, 900) }],
    });
    timeline.finished(`version ${back.version} answers again since epoch ${back.epoch}`);
  }
  return word;
}
