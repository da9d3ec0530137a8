import { executeChild, sleep, workflowInfo } from '@temporalio/workflow';
import { workflowIds } from '../domain/ids.js';
import type { LastWord } from '../domain/last-word.js';
import type { ReviewRequest } from '../domain/requests.js';
import { facts, looking, parsing } from './activity-profiles.js';
import { rollbackModel } from './rollback-model.js';
import { mark, Timeline } from './timeline.js';

/** After a rollout: waits until enough labels have come, lets the judge look again, and goes back or writes down that it was right. */
export async function reviewRollout(input: ReviewRequest): Promise<LastWord> {
  const { rolloutId } = await parsing().parseReviewRequest(input);
  const review = await facts().planReview({ rolloutId });
  const { model, environment, version } = review;
  mark({ model, version: String(version), environment });
  const timeline = new Timeline(`Last word on the rollout of ${model}@${version} in ${environment}`);
  const deadlineMs = workflowInfo().startTime.getTime() + review.giveUpAfterMs;

  let word: LastWord;
  for (let look = 1; ; look += 1) {
    const leftMs = deadlineMs - Date.now();
    const seen = await looking().lookAtLabels({ rolloutId, look, last: leftMs <= 0 });
    if (seen.decided) {
      word = seen.word;
      break;
    }
    timeline.doing(`waiting for labels: ${seen.word.reason}`);
    await sleep(Math.min(review.lookEveryMs, leftMs), { summary: 'waits for labels' });
  }
  await facts().recordLastWord({ rolloutId, word });
  mark({ outcome: word.verdict });
  timeline.finished(`${word.verdict}: ${word.reason}`);

  if (word.verdict === 'fail' && review.onFail === 'rollback') {
    const epoch = await facts().epochToLeave({ environment, model, version });
    if (epoch === null) {
      timeline.note(`version ${version} is not served any more: nothing to roll back`);
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
