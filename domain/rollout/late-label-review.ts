import type { Verdict } from '../verdict.js';
import { judgeStage, type Observed } from './judge/judge.js';
import type { LateLabelsPolicy } from './rollout-policy.js';

/** What late labels said of a rollout that was over. */
export interface LateLabelReview {
  verdict: Verdict;
  reason: string;
  /** Share of the predictions whose label was there. */
  coveragePct: number;
  at: string;
}

/** What one version of the rollout answered. */
export interface LabelledArm {
  predictions: number;
  /** Those whose label has come. */
  labelled: number;
  observed: Observed;
}

/**
 * Judges what labels say of a rollout that is over. Undecided until enough have come; at the last look what is there
 * decides.
 */
export function reviewLabels(
  late: LateLabelsPolicy,
  { champion, challenger }: { champion: LabelledArm; challenger: LabelledArm },
  { last, at }: { last: boolean; at: string },
): { decided: boolean; word: LateLabelReview } {
  const coveragePct = Math.min(
    ...[champion, challenger].map((arm) => (100 * arm.labelled) / Math.max(1, arm.predictions)),
  );
  if (coveragePct < late.coveragePct) {
    const reason =
      `${coveragePct.toFixed(1)} % of the predictions of the rollout have a label, ` +
      `${late.coveragePct} % are needed.`;
    return { decided: last, word: { verdict: 'no-data', reason, coveragePct, at } };
  }
  const { verdict, metrics, waitsFor } = judgeStage({
    policy: { alpha: late.alpha, metrics: [late.metric], unseenHarm: 'stretch' },
    alpha: late.alpha,
    stage: { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 },
    ...{ outcome: null, horizon: null, coldRequests: 0 },
    ...{ champion: champion.observed, challenger: challenger.observed },
  });
  const reason = waitsFor ?? metrics.map((metric) => metric.reason).join(' ');
  const decided = last || verdict === 'pass' || verdict === 'fail';
  return { decided, word: { verdict, reason, coveragePct, at } };
}
