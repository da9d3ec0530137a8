import { judgeStage, type Observed, type StageInput, type StageJudgement } from '../../domain/rollout/judge/judge.js';
import { sumOf } from '../../domain/statistics/sum-of.js';
import { seededRandom } from '../../domain/statistics/random.js';
import { meanScore } from '../../domain/serving/serving-totals.js';
import { latencyBoundsMs } from '../../domain/serving/serving-window.js';
import { liesHigher } from './mann-whitney.js';
import type { Scenario } from './scenario.js';
import { pairOf } from './stream.js';

/** What became of some pairs, looked at after every batch. */
export interface Simulated {
  pairs: number;
  /** Requests of the challenger at the first rollback of each pair that had one. */
  judge: number[];
  counter: number[];
  mannWhitney: number[];
  /** Pairs that the one-shot test would reject at this look, if it were the only one; by look. */
  oneShot: number[];
}

export type Judge = (input: StageInput) => Pick<StageJudgement, 'verdict'>;

/** The counter checks so many requests at a time, and rolls back after so many checks above its threshold. */
const checkRequests = 100;
const failedChecksMax = 2;

/**
 * Runs pairs `from` to `to` of a scenario. Each pair has a seed of its own, so that it comes out the same whoever runs
 * it.
 */
export function simulate(
  scenario: Scenario,
  { seed, from, to }: { seed: number; from: number; to: number },
  judge: Judge = judgeStage,
): Simulated {
  const looks = Math.floor(scenario.requests / scenario.batch);
  const found: Simulated = {
    pairs: to - from,
    judge: [],
    counter: [],
    mannWhitney: [],
    oneShot: new Array<number>(looks).fill(0),
  };
  for (let pair = from; pair < to; pair++) {
    const random = seededRandom(seed + pair);
    const { champion, challenger, grow } = pairOf(scenario, random);
    const ended = { judge: false, counter: false, mannWhitney: false };
    let [checks, failedChecks, before] = [0, 0, watchedMean(scenario, challenger)];
    for (let look = 0; look < looks; look++) {
      grow(look / looks);
      if (challenger.requests >= (checks + 1) * checkRequests) {
        const now = watchedMean(scenario, challenger);
        if (isOver(scenario, before, now)) failedChecks += 1;
        [checks, before] = [checks + 1, now];
      }
      const rejects = isHigher(scenario, challenger, champion);
      if (rejects) found.oneShot[look] = (found.oneShot[look] ?? 0) + 1;
      const end = (rule: keyof typeof ended, says: boolean) => {
        if (!says || ended[rule]) return;
        ended[rule] = true;
        found[rule].push(challenger.requests);
      };
      end('counter', failedChecks >= failedChecksMax);
      end('mannWhitney', rejects);
      if (!ended.judge) end('judge', judge(inputOf(scenario, champion, challenger)).verdict === 'fail');
    }
  }
  return found;
}

export function together(parts: readonly Simulated[]): Simulated {
  const all = (of: (part: Simulated) => number[]) => parts.flatMap(of);
  return {
    pairs: parts.reduce((sum, { pairs }) => sum + pairs, 0),
    ...{
      judge: all((part) => part.judge),
      counter: all((part) => part.counter),
      mannWhitney: all((part) => part.mannWhitney),
    },
    oneShot: (parts[0]?.oneShot ?? []).map((_, look) =>
      parts.reduce((sum, { oneShot }) => sum + (oneShot[look] ?? 0), 0),
    ),
  };
}

function inputOf({ policy }: Scenario, champion: Observed, challenger: Observed): StageInput {
  const stage = { comparison: 'same-minutes', decides: 'not-worse', minRequests: 1 } as const;
  return { policy, alpha: policy.alpha, stage, outcome: null, horizon: null, champion, challenger, coldRequests: 0 };
}

interface Mean {
  count: number;
  sum: number;
}

function watchedMean({ watched }: Scenario, totals: Observed): Mean {
  if (watched === 'errors') return { count: totals.requests, sum: totals.errors };
  if (watched === 'slow') return { count: sumOf(totals.latency), sum: slowOf(totals) };
  const count = sumOf(totals.scores);
  return { count, sum: count * (meanScore(totals.scores) ?? 0) };
}

const slowOf = ({ latency }: Observed) => sumOf(latency.slice(latencyBoundsMs.indexOf(100) + 1));

/**
 * Whether the last check alone is above a threshold that somebody set once: what the champion usually has, and the
 * margin.
 */
function isOver({ watched, champion }: Scenario, before: Mean, now: Mean): boolean {
  const mean = (now.sum - before.sum) / (now.count - before.count);
  if (watched === 'errors') return mean > champion.errorShare(0) + 0.02;
  return watched === 'slow' ? mean > champion.slowShare + 0.05 : mean > 1 / 3 + 0.1;
}

function isHigher({ watched, policy }: Scenario, challenger: Observed, champion: Observed): boolean {
  if (watched === 'scores') return liesHigher(challenger.scores, champion.scores, policy.alpha);
  const twoBins = (totals: Observed) => {
    const events = watched === 'errors' ? totals.errors : slowOf(totals);
    return [(watched === 'errors' ? totals.requests : sumOf(totals.latency)) - events, events];
  };
  return liesHigher(twoBins(challenger), twoBins(champion), policy.alpha);
}
