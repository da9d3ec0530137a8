import type { Verdict } from '../verdict.js';

/** What late labels said of a rollout that was over. */
export interface LateLabelReview {
  verdict: Verdict;
  reason: string;
  /** Share of the predictions whose label was there. */
  coveragePct: number;
  at: string;
}
