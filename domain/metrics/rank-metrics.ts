import type { RankedGroup, Ties } from './ranked-group.js';

/**
 * Metrics of one group in the order of its scores. Rows of equal score have no order: each metric is its mean over all
 * of theirs, in closed form (McSherry and Najork 2008, "Computing information retrieval performance measures
 * efficiently in the presence of tied scores"). NaN without a relevant row.
 */

/** The weight of a place, from 0 (Järvelin and Kekäläinen 2002). */
const discount = (place: number): number => 1 / Math.log2(place + 2);

/**
 * Normalized discounted cumulative gain over the first k places, the gain being the relevance itself: scikit-learn's
 * `ndcg_score(…, k=k)`, ties included.
 */
export function ndcgAt({ ties, ideal, relevant }: RankedGroup, k: number): number {
  let gained = 0;
  for (const { before, rows, gain } of ties) {
    for (let place = before; place < Math.min(k, before + rows); place++) gained += (gain / rows) * discount(place);
  }
  let best = 0;
  for (let place = 0; place < Math.min(k, ideal.length); place++) best += (ideal[place] ?? 0) * discount(place);
  return relevant === 0 ? Number.NaN : gained / best;
}

/** The share of the relevant rows among the first k, of as many as k places can hold. */
export function recallAt({ ties, relevant }: RankedGroup, k: number): number {
  let hits = 0;
  for (const tie of ties) hits += (placesWithin(tie, k) * tie.relevant) / tie.rows;
  return relevant === 0 ? Number.NaN : hits / Math.min(k, relevant);
}

/**
 * Average precision over the first k places: the mean of the precision at each relevant row among them, of as many as k
 * places can hold. Its mean over groups is MAP at k.
 */
export function meanAveragePrecisionAt({ ties, relevant }: RankedGroup, k: number): number {
  let sum = 0;
  let relevantBefore = 0;
  for (const tie of ties) {
    const { before, rows, relevant: own } = tie;
    for (let place = 1; place <= placesWithin(tie, k); place++) {
      const othersAbove = rows === 1 ? 0 : ((place - 1) * (own - 1)) / (rows - 1);
      sum += ((own / rows) * (relevantBefore + 1 + othersAbove)) / (before + place);
    }
    relevantBefore += own;
  }
  return relevant === 0 ? Number.NaN : sum / Math.min(k, relevant);
}

/** One by the place of the first relevant row. */
export function reciprocalRank({ ties }: RankedGroup): number {
  const first = ties.find((tie) => tie.relevant > 0);
  if (!first) return Number.NaN;
  const { before, rows, relevant } = first;
  let chance = relevant / rows;
  let sum = 0;
  for (let place = 1; place <= rows - relevant + 1; place++) {
    sum += chance / (before + place);
    chance *= (rows - place - relevant + 1) / (rows - place);
  }
  return sum;
}

const placesWithin = ({ before, rows }: Ties, k: number): number => Math.max(0, Math.min(rows, k - before));
