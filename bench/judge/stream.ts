import type { Observed } from '../../domain/rollout/judge/judge.js';
import { addWindows } from '../../domain/serving/serving-totals.js';
import { latencyBoundsMs, scoreBins } from '../../domain/serving/serving-window.js';
import type { Random } from '../../domain/statistics/random.js';
import type { Scenario, Version } from './scenario.js';

/** Both versions' totals, growing batch by batch. */
export interface Pair {
  champion: Observed;
  challenger: Observed;
  /** Adds one batch; `part` of the stream, 0 to 1, has gone. */
  grow(part: number): void;
}

const fast = latencyBoundsMs.indexOf(20);
const slow = latencyBoundsMs.indexOf(500);

export function pairOf(scenario: Scenario, random: Random): Pair {
  const [champion, challenger] = [
    { ...addWindows([]), samples: {} },
    { ...addWindows([]), samples: {} },
  ];
  const { batch, championRatio, repeats } = scenario;
  return {
    champion,
    challenger,
    grow(part) {
      for (let request = 0; request < batch; request += repeats)
        draw(challenger, scenario.challenger, part, random, repeats);
      for (let request = 0; request < batch * championRatio; request += repeats)
        draw(champion, scenario.champion, part, random, repeats);
    },
  };
}

function draw(
  totals: Observed,
  { errorShare, slowShare, scoreShift }: Version,
  part: number,
  random: Random,
  repeats: number,
): void {
  totals.requests += repeats;
  if (uniform(random) < errorShare(part)) {
    totals.errors += repeats;
    return;
  }
  const bucket = uniform(random) < slowShare ? slow : fast;
  totals.latency[bucket] = (totals.latency[bucket] ?? 0) + repeats;
  const score = Math.min(1, Math.min(uniform(random), uniform(random)) + scoreShift);
  const bin = Math.min(scoreBins - 1, Math.floor(score * scoreBins));
  totals.scores[bin] = (totals.scores[bin] ?? 0) + repeats;
}

const uniform = (random: Random) => random.uint32() / 4_294_967_296;
