import type { PartitionFile, SnapshotManifest } from './snapshot.js';

/** One fold of a cross-validation: what a model is trained on, and the rows that it has not seen. */
export interface Fold {
  number: number;
  train: PartitionFile[];
  holdout: PartitionFile[];
}

/**
 * The folds of a snapshot, in the order in which they are tested; none where it is not cross-validated. By time a model
 * is trained on what came before its fold, and the first rows are never tested; else on all other folds.
 */
export function foldsOf({ split, train, holdout }: Pick<SnapshotManifest, 'split' | 'train' | 'holdout'>): Fold[] {
  if (split?.kind !== 'folds') return [];
  const tested = [...new Set(holdout.flatMap(({ fold }) => fold ?? []))].toSorted((left, right) => left - right);
  return tested.map((number) => ({
    number,
    train: train.filter(({ fold = 0 }) => (split.by === 'time' ? fold < number : fold !== number)),
    holdout: holdout.filter(({ fold }) => fold === number),
  }));
}
