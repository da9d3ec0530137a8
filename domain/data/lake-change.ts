/**
 * A change of the lake that is not done. The store knows no change of several objects at once, so the database says
 * which of them count: while the new object lands the earlier ones do, from then on it alone. Whoever makes the change
 * may die at any moment; what it left is cleared by the next one.
 */
export interface OpenLakeChange {
  id: number;
  step: 'landing' | 'taking-over';
  key: string | null;
  replaced: readonly string[];
}

/** The objects that count, of those that lie there. */
export function countedObjects<T extends { key: string }>(objects: readonly T[], open: readonly OpenLakeChange[]): T[] {
  const left = new Set(open.flatMap((change) => leftoversOf(change)));
  return objects.filter(({ key }) => !left.has(key));
}

/** What a change that died leaves in the store, and nobody counts. */
export function leftoversOf({ step, key, replaced }: OpenLakeChange): readonly string[] {
  if (step === 'taking-over') return replaced;
  return key === null ? [] : [key];
}
