import type { RankedScores } from './ranked-scores.js';

export interface RocPoint {
  falsePositiveRate: number;
  truePositiveRate: number;
}

/**
 * The receiver operating characteristic from (0, 0) to (1, 1), thinned to at most `pointsMax` points for a picture:
 * those nearest to even steps along the curve's length in the city-block metric, so that steep and flat parts are drawn
 * alike. Empty when only one class is present.
 */
export function rocCurve(ranked: RankedScores, pointsMax = 101): RocPoint[] {
  const count = ranked.labels.length;
  const positives = ranked.positives;
  const negatives = count - positives;
  if (positives === 0 || negatives === 0) return [];
  const points: RocPoint[] = [{ falsePositiveRate: 0, truePositiveRate: 0 }];
  const step = 2 / (pointsMax - 1);
  let drawnUpTo = 0;
  let truePositives = 0;
  for (let rank = 0; rank < count; rank++) {
    truePositives += ranked.labels[rank]!;
    if (ranked.tieEnds[rank] !== 1) continue;
    const point = {
      falsePositiveRate: (rank + 1 - truePositives) / negatives,
      truePositiveRate: truePositives / positives,
    };
    const length = point.falsePositiveRate + point.truePositiveRate;
    const last = rank + 1 === count;
    if (last || (length >= drawnUpTo + step && points.length < pointsMax - 1)) {
      points.push(point);
      drawnUpTo = length;
    }
  }
  return points;
}
