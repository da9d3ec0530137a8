import { z } from 'zod';

const finite = z.number().refine(Number.isFinite, 'must be finite');

/** How a metric differs from fold to fold: what another sample of the same size may bring. */
export const foldSpreadSchema = z.strictObject({
  /** Rows that each fold tested. */
  rows: z.array(z.number().int()),
  metrics: z.record(
    z.string(),
    z.strictObject({
      mean: finite,
      /** Of a sample (n − 1); null of one fold. */
      sd: finite.nullable(),
      min: finite,
      max: finite,
      /** In how many folds it is defined. */
      folds: z.number().int(),
    }),
  ),
});
export type FoldSpread = z.infer<typeof foldSpreadSchema>;

/** Mean, standard deviation, least and greatest of each metric over the folds in which it is defined. */
export function foldSpread(folds: readonly { rows: number; metrics: Readonly<Record<string, number>> }[]): FoldSpread {
  const keys = [...new Set(folds.flatMap(({ metrics }) => Object.keys(metrics)))];
  const spread = keys.flatMap((key) => {
    const values = folds.flatMap(({ metrics: { [key]: value = Number.NaN } }) =>
      Number.isFinite(value) ? [value] : [],
    );
    if (values.length === 0) return [];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const sd = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : null;
    return [[key, { mean, sd, min: Math.min(...values), max: Math.max(...values), folds: values.length }] as const];
  });
  return { rows: folds.map(({ rows }) => rows), metrics: Object.fromEntries(spread) };
}
