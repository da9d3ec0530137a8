const bins = 20;

/** Shares of scores in 20 equal bins of [0, 1]; each holds its lower end, the last also 1. */
export function scoreHistogram(scores: Float64Array): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const score of scores) counts[Math.max(0, Math.min(bins - 1, Math.floor(score * bins)))]!++;
  return counts.map((count) => (scores.length === 0 ? 0 : count / scores.length));
}
