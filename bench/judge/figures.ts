import { quantile } from '../../domain/statistics/quantile.js';
import type { Scenario } from './scenario.js';
import type { Simulated } from './simulate.js';

/** How often a challenger that does no harm was rolled back. */
export interface FalseRollbacks {
  name: 'judge.false-rollbacks';
  scenario: string;
  about: string;
  alpha: number;
  /** Of the judge; null where its assumptions are broken on purpose and nothing is promised. */
  passed: boolean | null;
  rate: number;
  pairs: number;
  looks: number;
  /** Of its rivals, looked at as often. */
  fixedThresholdRate: number;
  mannWhitneyRate: number;
}

/**
 * Requests of the challenger until half, and nine in ten, of the harmful ones were rolled back; null when fewer were.
 */
export interface RequestsToCatch {
  name: 'judge.requests-to-catch';
  scenario: string;
  pairs: number;
  unit: 'requests';
  judge: { median: number | null; p90: number | null };
  fixedThreshold: { median: number | null; p90: number | null };
  /** The number that must be settled before for a test that is looked at once. */
  mannWhitneyOnce: { median: number | null; p90: number | null };
}

export type Figure = FalseRollbacks | RequestsToCatch;

export function falseRollbacks({ name, about, policy }: Scenario, found: Simulated, promised: boolean): FalseRollbacks {
  const rate = found.judge.length / found.pairs;
  return {
    ...{
      name: 'judge.false-rollbacks',
      scenario: name,
      about,
      alpha: policy.alpha,
      passed: promised ? rate <= policy.alpha : null,
      rate,
    },
    ...{ pairs: found.pairs, looks: found.oneShot.length },
    fixedThresholdRate: found.counter.length / found.pairs,
    mannWhitneyRate: found.mannWhitney.length / found.pairs,
  };
}

export function requestsToCatch({ name, batch }: Scenario, found: Simulated): RequestsToCatch {
  const both = (at: (share: number) => number | null) => ({ median: at(0.5), p90: at(0.9) });
  const caught = (requests: readonly number[]) => both((share) => quantileOf(requests, found.pairs, share));
  const once = both((share) => {
    const look = found.oneShot.findIndex((rejected) => rejected >= share * found.pairs);
    return look < 0 ? null : (look + 1) * batch;
  });
  return {
    ...{ name: 'judge.requests-to-catch', scenario: name, pairs: found.pairs, unit: 'requests' },
    ...{ judge: caught(found.judge), fixedThreshold: caught(found.counter), mannWhitneyOnce: once },
  };
}

function quantileOf(requests: readonly number[], pairs: number, share: number): number | null {
  const all = Float64Array.from({ length: pairs }, (_, at) => requests[at] ?? Infinity).sort();
  const found = quantile(all, share);
  return Number.isFinite(found) ? Math.ceil(found) : null;
}
