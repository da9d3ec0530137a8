/**
 * Rows of a binary problem in the order of falling score, sorted once so that every statistic, also of a resample, is
 * one pass.
 */
export interface RankedScores {
  /** Place of each ranked row in the arrays it came from. */
  rows: Int32Array;
  /** Falling. */
  scores: Float64Array;
  /** 1 for a positive row, else 0. */
  labels: Uint8Array;
  /** 1 where the next row has another score: ties end here. */
  tieEnds: Uint8Array;
  positives: number;
}

/**
 * How often each ranked row counts; in a bootstrap resample how often it was drawn. Left out, every row counts once.
 */
export type RowWeights = Uint16Array;

/**
 * Sorts rows by falling score; among equal scores the original order stays.
 * @throws RangeError when the lengths differ or a score is not a finite number: a NaN has no rank, and a metric that
 * leaves it out would lie.
 */
export function rankScores(labels: Uint8Array, scores: Float64Array): RankedScores {
  if (labels.length !== scores.length)
    throw new RangeError(`${labels.length} labels do not match ${scores.length} scores`);
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad !== -1) throw new RangeError(`score ${bad} is ${scores[bad]}, not a finite number`);
  const count = scores.length;
  const rows = Int32Array.from({ length: count }, (_, row) => row);
  rows.sort((left, right) => scores[right]! - scores[left]! || left - right);
  const ranked: RankedScores = {
    rows,
    scores: new Float64Array(count),
    labels: new Uint8Array(count),
    tieEnds: new Uint8Array(count),
    positives: 0,
  };
  for (let rank = 0; rank < count; rank++) {
    const row = rows[rank]!;
    ranked.scores[rank] = scores[row]!;
    ranked.labels[rank] = labels[row]! ? 1 : 0;
    ranked.positives += ranked.labels[rank]!;
    ranked.tieEnds[rank] = rank + 1 === count || scores[rows[rank + 1]!]! !== scores[row]! ? 1 : 0;
  }
  return ranked;
}
