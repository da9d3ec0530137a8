import type { Check, Facts } from '../facts.js';
import { answersAsRouted } from './answers-as-routed.js';
import { acknowledgementsRise, answersGoForward, noFailedPrediction } from './gateways-go-forward.js';
import { monotoneShares } from './monotone-shares.js';
import { effectOnlyWithApprovals, noLostApproval } from './no-lost-approval.js';
import { oneChampion } from './one-champion.js';
import {
  endsAreProven,
  historiesReplay,
  leasesChangeHands,
  oneRolloutAtATime,
  onlyHoldersWrite,
} from './one-rollout-at-a-time.js';

/** The invariants of architecture.md that concern routes, rollouts and promotions, each by its name. */
export const checks = {
  oneChampion,
  monotoneShares,
  answersAsRouted,
  noLostApproval,
  effectOnlyWithApprovals,
  acknowledgementsRise,
  answersGoForward,
  noFailedPrediction,
  oneRolloutAtATime,
  leasesChangeHands,
  onlyHoldersWrite,
  endsAreProven,
  historiesReplay,
} satisfies Record<string, Check>;

export type CheckName = keyof typeof checks;

/** Everything that is wrong, named by its invariant; a flood of the same is cut short. */
export function violations(facts: Facts, mostOfEach = 5): string[] {
  return Object.entries(checks).flatMap(([name, check]) => {
    const found = check(facts);
    const cut = found.length > mostOfEach ? [`${name}: and ${found.length - mostOfEach} more`] : [];
    return [...found.slice(0, mostOfEach).map((problem) => `${name}: ${problem}`), ...cut];
  });
}
