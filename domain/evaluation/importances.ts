import { z } from 'zod';

/** How much worse a metric gets when a feature's values are dealt out to other rows; below 0 is chance. */
export const permutationImportancesSchema = z.strictObject({
  /** The key of the task's main metric. */
  metric: z.string(),
  /** Of the holdout, taken by chance. */
  rows: z.int(),
  repeats: z.int(),
  features: z.array(z.strictObject({ feature: z.string(), drop: z.number() })),
  /** Features that were not looked at, since there are too many. */
  leftOut: z.int(),
});
export type PermutationImportances = z.infer<typeof permutationImportancesSchema>;

export interface FeatureShare {
  feature: string;
  share: number;
}

/**
 * Which features matter to a model, greatest first: what its trainer said, or else what permutation found. Shares sum
 * to 1, or are all 0 where none matters; empty where nobody knows.
 */
export function importancesOf(
  ofTrainer: readonly FeatureShare[],
  found: PermutationImportances | undefined,
): FeatureShare[] {
  if (ofTrainer.length > 0 || found === undefined) return [...ofTrainer];
  const drops = found.features.map(({ feature, drop }) => ({ feature, drop: Math.max(0, drop) }));
  const total = drops.reduce((sum, { drop }) => sum + drop, 0);
  return drops
    .map(({ feature, drop }) => ({ feature, share: total > 0 ? drop / total : 0 }))
    .sort((left, right) => right.share - left.share || (left.feature < right.feature ? -1 : 1));
}
