import { expect, it } from 'vitest';
import { reviewLabels, type LabelledArm } from '../../../../domain/rollout/late-label-review.js';
import type { LateLabelsPolicy } from '../../../../domain/rollout/rollout-policy.js';
import { addWindows } from '../../../../domain/serving/serving-totals.js';

const late: LateLabelsPolicy = {
  metric: { metric: 'quality', loss: 'error', margin: 0.02, harm: 0.1, minLabels: 200 },
  ...{ alpha: 0.05, coveragePct: 80, lookEveryHours: 24, giveUpAfterHours: 720, onFail: 'rollback' },
};
const at = '2026-01-01T00:00:00.000Z';

const arm = (predictions: number, labelled: number, wrong: number): LabelledArm => ({
  ...{ predictions, labelled },
  observed: {
    ...addWindows([]),
    requests: predictions,
    samples: { 'quality:error': { count: labelled, sum: wrong } },
  },
});

const review = (champion: LabelledArm, challenger: LabelledArm, last = false) =>
  reviewLabels(late, { champion, challenger }, { last, at });

it('fewer labels than the policy needs say nothing, by the version that has the fewer, and decide at the last look only', () => {
  const [champion, challenger] = [arm(5000, 5000, 500), arm(5000, 3950, 3000)];
  const waiting = review(champion, challenger);
  expect(waiting).toMatchObject({ decided: false, word: { verdict: 'no-data', coveragePct: 79, at } });
  expect(waiting.word.reason).toBe('79.0 % of the predictions of the rollout have a label, 80 % are needed.');
  expect(review(champion, challenger, true)).toMatchObject({ decided: true, word: { verdict: 'no-data' } });
});

it('labels that say that the challenger is worse decide at once, and so do those that say that it is not', () => {
  const champion = arm(5000, 4500, 450);
  expect(review(champion, arm(5000, 4000, 1600))).toMatchObject({ decided: true, word: { verdict: 'fail' } });
  expect(review(champion, arm(5000, 4000, 200))).toMatchObject({ decided: true, word: { verdict: 'pass' } });
});

it('labels that decide nothing are waited for until the last look', () => {
  const [champion, challenger] = [arm(300, 300, 30), arm(300, 300, 33)];
  expect(review(champion, challenger)).toMatchObject({ decided: false, word: { verdict: 'inconclusive' } });
  expect(review(champion, challenger, true)).toMatchObject({ decided: true, word: { verdict: 'inconclusive' } });
});

it('a version that answered nothing has no labels', () => {
  expect(review(arm(0, 0, 0), arm(100, 100, 1)).word).toMatchObject({ verdict: 'no-data', coveragePct: 0 });
});
