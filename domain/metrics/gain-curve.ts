import type { ScoredRows } from './measurer.js';
import { ndcgAt, recallAt } from './rank-metrics.js';
import { rankGroups } from './ranking-measurer.js';

const places = [1, 2, 3, 5, 10, 20, 50, 100];

/** Mean recall and NDCG over the first places of a ranking, up to the size of its greatest group. */
export function gainCurve(rows: ScoredRows): { k: number; recall: number; ndcg: number }[] {
  const groups = rankGroups(rows).filter(({ relevant }) => relevant > 0);
  const most = groups.reduce((size, group) => Math.max(size, group.rows), 0);
  const mean = (of: (group: (typeof groups)[number]) => number) =>
    groups.reduce((sum, group) => sum + of(group), 0) / groups.length;
  return places
    .filter((k, at) => most > 0 && (k <= most || (places[at - 1] ?? 0) < most))
    .map((k) => ({ k, recall: mean((group) => recallAt(group, k)), ndcg: mean((group) => ndcgAt(group, k)) }));
}
