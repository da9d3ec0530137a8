import { z } from 'zod';

/** What a gate or the judge says of a metric. No data is never a pass. */
export const verdictSchema = z.enum(['pass', 'fail', 'inconclusive', 'no-data']);
export type Verdict = z.infer<typeof verdictSchema>;

const severity: Record<Verdict, number> = { pass: 0, inconclusive: 1, 'no-data': 2, fail: 3 };

/** The verdict of several together: one fail fails all, then no-data, then inconclusive. None at all is no-data. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return (
    verdicts.reduce<Verdict | undefined>(
      (worst, next) => (worst && severity[worst] >= severity[next] ? worst : next),
      undefined,
    ) ?? 'no-data'
  );
}
