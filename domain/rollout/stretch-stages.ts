import type { JudgePolicy } from './judge/judge-policy.js';
import type { MetricSampleSize, StageSampleSize } from './sample-size.js';
import type { RolloutStage } from './judge/rollout-stage.js';

export interface StretchedStages {
  stages: RolloutStage[];
  /** One sentence on each stage that was lengthened. */
  changes: string[];
  /** Why the rollout must not begin as it stands, with the fields that change it; null when it may. */
  refused: string | null;
}

/** A stage is not stretched beyond this: nobody waits longer for a canary. */
export const stretchedSecondsMax = 30 * 86_400;

/**
 * Stages that cannot see the named harm at the present traffic, within their longest time, are lengthened or refused,
 * as `unseenHarm` says. Only `maxSeconds` is lengthened: a stage never passes before the harm is excluded, so more
 * `minRequests` would add nothing. Where the traffic is unknown nothing is changed.
 */
export function stretchStages(
  stages: readonly RolloutStage[],
  { unseenHarm }: Pick<JudgePolicy, 'unseenHarm'>,
  sampleSizes: readonly StageSampleSize[],
): StretchedStages {
  const changes: string[] = [];
  const refusals: string[] = [];
  const stretched = stages.map((stage, at) => {
    const needed = sampleSizes[at];
    if (!needed || needed.seconds === null || needed.seconds <= stage.maxSeconds) return stage;
    const needs =
      `Stage "${stage.name}" lasts at most ${time(stage.maxSeconds)}, but at the current traffic ` +
      `${needsOf(needed)}`;
    if (unseenHarm === 'refuse') {
      refusals.push(`${needs} Lengthen its maxSeconds, or set rollout.judge.unseenHarm to "stretch". ${orElse}`);
      return stage;
    }
    if (needed.seconds > stretchedSecondsMax) {
      refusals.push(
        `${needs} That is more than ${time(stretchedSecondsMax)}, the longest a stage is stretched to. ${orElse}`,
      );
      return stage;
    }
    changes.push(`${needs} It may last that long.`);
    return { ...stage, maxSeconds: Math.ceil(needed.seconds) };
  });
  return { stages: stretched, changes, refused: refusals.length === 0 ? null : refusals.join(' ') };
}

const orElse =
  'Or give the challenger more of the traffic (sharePct, samplePct, challengerPct), or name a greater harm ' +
  'and margin (rollout.judge.metrics.*.harmPct and marginPct, harm and margin).';

/** The metric that needs most, in words. */
function needsOf({ metrics, seconds, requests }: StageSampleSize): string {
  const most = (of: (metric: MetricSampleSize) => number | null) => metrics.find((metric) => of(metric) === requests);
  const harmful = most(({ requestsToSeeHarm }) => requestsToSeeHarm);
  const metric = harmful ?? most(({ requestsToPass }) => requestsToPass);
  const purpose = harmful ? 'to see the stated harm in' : 'to pass without a difference in';
  return (
    `the ${requests} requests that the challenger needs ${purpose} ${metric?.metric ?? 'its metrics'} ` +
    `take ${time(seconds ?? 0)}.`
  );
}

function time(seconds: number): string {
  if (seconds >= 2 * 86_400) return `${(seconds / 86_400).toFixed(1)} days`;
  if (seconds >= 2 * 3600) return `${(seconds / 3600).toFixed(1)} hours`;
  return seconds >= 120 ? `${Math.ceil(seconds / 60)} minutes` : `${Math.ceil(seconds)} seconds`;
}
