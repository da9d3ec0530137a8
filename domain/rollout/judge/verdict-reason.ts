import type { Interval } from '../../metrics/measured.js';
import type { Sample } from '../../statistics/constrained-means.js';
import type { MetricSpec } from './metric-spec.js';

/** What the reason of a mean's verdict is made of. */
export interface MeanFinding {
  theirs: Sample;
  ours: Sample;
  interval: Interval;
  better: boolean;
  mean: (sample: Sample) => number;
}

/** Why a mean passes, fails or is inconclusive: both means, the interval of the difference, and what is asked of it. */
export function reasonText(spec: MetricSpec, { theirs, ours, interval, better, mean }: MeanFinding): string {
  const { shown, sampleNoun } = spec;
  const seen =
    `${shown(mean(ours))} of the challenger's ${ours.count} ${sampleNoun} and ${shown(mean(theirs))} ` +
    `of the champion's ${theirs.count}`;
  const [worseWord, betterWord] = spec.lowerIsBetter ? ['more', 'less'] : ['less', 'more'];
  const asked = better
    ? `at least ${shown(spec.margin)} ${betterWord} is required`
    : `${shown(spec.margin)} ${worseWord} is accepted`;
  return (
    `${spec.title}: ${seen}; the difference lies between ${shown(interval.low)} and ` +
    `${shown(interval.high)}, ${asked}.`
  );
}

/** Why a mean has no data yet; null when both versions have enough values. */
export function missingText({ title, sampleNoun, countMin }: MetricSpec, theirs: Sample, ours: Sample): string | null {
  const sound = ({ count, sum }: Sample) => Number.isInteger(count) && count >= 0 && sum >= 0 && sum <= count;
  const enough = ({ count }: Sample) => count >= Math.max(1, countMin);
  if (sound(theirs) && sound(ours) && enough(theirs) && enough(ours)) return null;
  if (sound(theirs) && sound(ours))
    return (
      `${title}: the challenger has ${ours.count} and the champion ${theirs.count} ${sampleNoun}, each ` +
      `needs ${Math.max(1, countMin)}.`
    );
  return (
    `${title} cannot be compared: challenger ${ours.sum} of ${ours.count}, champion ${theirs.sum} of ` +
    `${theirs.count} ${sampleNoun}.`
  );
}

interface DistanceFinding {
  estimate: number;
  low: number;
  high: number;
  margin: number;
  /** Of challenger and champion. */
  rows: [number, number];
}

/** Why the distance of the score distributions passes, fails or is inconclusive. */
export function distanceText({ estimate, low, high, margin, rows: [ours, theirs] }: DistanceFinding): string {
  const limits =
    `${estimate.toFixed(3)} over ${ours} and ${theirs} rows, ` + `between ${low.toFixed(3)} and ${high.toFixed(3)}`;
  return `Distance between the score distributions: ${limits}; up to ${margin} is accepted.`;
}

export const notJudgedText = 'This stage is not judged: there is nothing to compare the challenger with.';

export const nothingToCompareText =
  'None of the metrics of rollout.judge.metrics can be compared with other minutes: add errorShare or slowShare.';

export function championMissingText(from: 'same-minutes' | 'before'): string {
  return from === 'before'
    ? 'No requests of the champion from before this stage are known.'
    : 'The champion had no requests in the same minutes.';
}

export function requestsMissingText(requests: number, minRequests: number, lacking: number): string {
  return (
    `The challenger has answered ${requests} of ${minRequests} requests; it needs ${lacking} more before ` +
    'it may pass.'
  );
}

export function leftOutText(requests: number): string {
  return (
    `${requests} requests of champion and challenger are left out: a version had just been ` +
    'loaded and its caches were cold.'
  );
}
