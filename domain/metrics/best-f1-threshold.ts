import type { RankedScores } from '../statistics/ranked-scores.js';

/**
 * The score that, used as threshold (positive when score ≥ threshold), gives the highest F1; of several the greatest.
 * `null` without positives.
 */
export function bestF1Threshold(ranked: RankedScores): number | null {
  let best = 0;
  let threshold: number | null = null;
  let truePositives = 0;
  for (let rank = 0; rank < ranked.scores.length; rank++) {
    truePositives += ranked.labels[rank]!;
    if (ranked.tieEnds[rank] !== 1) continue;
    const f1 = (2 * truePositives) / (rank + 1 + ranked.positives);
    if (f1 > best) {
      best = f1;
      threshold = ranked.scores[rank]!;
    }
  }
  return threshold;
}
