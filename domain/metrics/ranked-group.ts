/** Rows of equal score within a group. */
export interface Ties {
  /** Rows with a greater score. */
  before: number;
  rows: number;
  /** Of them with a relevance above 0. */
  relevant: number;
  /** Sum of their relevances. */
  gain: number;
}

/** One query's or user's rows, by falling score. */
export interface RankedGroup {
  rows: number;
  relevant: number;
  ties: Ties[];
  /** Relevances, falling: the best order there is. */
  ideal: number[];
}

export function rankedGroup(members: readonly { score: number; relevance: number }[]): RankedGroup {
  const sorted = members.toSorted((left, right) => right.score - left.score);
  const ties: Ties[] = [];
  let last: number | null = null;
  for (const [before, { score, relevance }] of sorted.entries()) {
    if (score !== last) ties.push({ before, rows: 0, relevant: 0, gain: 0 });
    last = score;
    const tie = ties.at(-1);
    if (!tie) continue;
    tie.rows += 1;
    tie.gain += relevance;
    if (relevance > 0) tie.relevant += 1;
  }
  return {
    rows: members.length,
    relevant: members.filter(({ relevance }) => relevance > 0).length,
    ties,
    ideal: members.map(({ relevance }) => relevance).sort((left, right) => right - left),
  };
}
