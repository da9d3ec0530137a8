import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** What `metrics_oracle.py` wrote: rows, and their metrics by scikit-learn. */
const expectedSchema = z.record(z.string(), z.number().nullable());
const weighedSchema = z.object({
  labels: z.array(z.number()),
  scores: z.array(z.array(z.number())),
  weights: z.array(z.number()),
  expected: expectedSchema,
  weighted: expectedSchema,
});
const rankedRow = z.object({ group: z.number(), relevance: z.number(), score: z.number() });

export const oracle = z
  .object({
    multiclass: weighedSchema,
    absentClass: weighedSchema,
    regression: weighedSchema.extend({ quantiles: z.array(z.number()) }),
    ranking: z.object({ rows: z.array(rankedRow), ks: z.array(z.number()), expected: expectedSchema }),
  })
  .parse(JSON.parse(readFileSync(new URL('./metrics-oracle.json', import.meta.url), 'utf8')));

export const rowsOf = ({ labels, scores }: z.infer<typeof weighedSchema>) => ({
  labels: Float64Array.from(labels),
  scores: Float64Array.from(scores.flat()),
  width: scores[0]?.length ?? 0,
});

/** Each number within 1e-9 of scikit-learn's; what is not defined there is NaN here. */
export const near = (expected: z.infer<typeof expectedSchema>, toBeClose: (value: number) => unknown) =>
  Object.fromEntries(
    Object.entries(expected).map(([key, value]) => [key, value === null ? Number.NaN : toBeClose(value)]),
  );
