import { rowCount, scoreColumn, type Measurer, type ScoredRows } from './measurer.js';
import { rankedGroup, type RankedGroup } from './ranked-group.js';
import { meanAveragePrecisionAt, ndcgAt, recallAt, reciprocalRank } from './rank-metrics.js';

/**
 * Metrics of a ranking: means over its groups, and a resample draws groups. A group without a relevant row (relevance
 * above 0) says nothing and is left out. Rows of equal score count as the mean over all their orders.
 * @param ks how many rows of a group count, for `ndcg`, `mapAtK` and `recallAtK`
 */
export function rankingMeasurer(rows: ScoredRows, ks: readonly number[]): Measurer {
  const groups = rankGroups(rows);
  const names = ['mrr', ...ks.flatMap((k) => [`ndcg@${k}`, `mapAtK@${k}`, `recallAtK@${k}`])];
  const values = new Float64Array(groups.length * names.length);
  for (const [place, group] of groups.entries()) {
    const found = [
      reciprocalRank(group),
      ...ks.flatMap((k) => [ndcgAt(group, k), meanAveragePrecisionAt(group, k), recallAt(group, k)]),
    ];
    values.set(found, place * names.length);
  }
  return {
    units: groups.length,
    measure(drawn) {
      const sums = new Float64Array(names.length);
      let all = 0;
      for (const [place, { relevant }] of groups.entries()) {
        const weight = relevant === 0 ? 0 : drawn ? drawn[place]! : 1;
        if (weight === 0) continue;
        all += weight;
        for (let at = 0; at < names.length; at++) sums[at]! += weight * values[place * names.length + at]!;
      }
      return Object.fromEntries(names.map((name, at) => [name, sums[at]! / all]));
    },
  };
}

/** Groups by their place, each with its rows in the order of falling score. */
export function rankGroups(rows: ScoredRows): RankedGroup[] {
  const { groups = new Int32Array(rowCount(rows)) } = rows;
  const scores = scoreColumn(rows, 0);
  const members: number[][] = [];
  for (const [row, group] of groups.entries()) (members[group] ??= []).push(row);
  return members.map((places) =>
    rankedGroup(places.map((row) => ({ score: scores[row]!, relevance: rows.labels[row]! }))),
  );
}
