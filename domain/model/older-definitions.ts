/** Metrics of the judge of version 0.1.0, which had a bound each and named no harm. */
const judgeOf01 = ['errorShareMarginPct', 'latencyLimitMs', 'slowShareMarginPct', 'scoreDistanceMax'];

/**
 * A definition that an earlier release stored, in words of today; any other value as it is. What a definition is
 * identified by stays the digest of what was stored.
 */
export function inWordsOfToday(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.rollout) || !isRecord(value.rollout.judge)) return value;
  const { rollout } = value;
  const judge = value.rollout.judge;
  if (!judgeOf01.some((name) => Object.hasOwn(judge, name)) || 'metrics' in judge) return value;
  return { ...value, rollout: { ...rollout, judge: judgeOfToday(judge) } };
}

/** Its margins, and today's harms, which must be larger. What no metric of today takes is left for the schema to say. */
function judgeOfToday(judge: Record<string, unknown>): Record<string, unknown> {
  const { errorShareMarginPct, latencyLimitMs, slowShareMarginPct, scoreDistanceMax, ...rest } = judge;
  const [errors, slow] = [bounds(errorShareMarginPct ?? 2, 10, 100), bounds(slowShareMarginPct ?? 5, 20, 100)];
  const [margin, harm] = bounds(scoreDistanceMax ?? 0.3, 0.6, 1);
  return {
    ...rest,
    metrics: [
      { metric: 'errorShare', marginPct: errors[0], harmPct: errors[1] },
      { metric: 'slowShare', limitMs: latencyLimitMs ?? 100, marginPct: slow[0], harmPct: slow[1] },
      { metric: 'scoreDistance', margin, harm },
    ],
  };
}

/** A margin and a harm above it; half way to the most that there is where today's default is not. */
function bounds(margin: unknown, harm: number, most: number): [unknown, unknown] {
  if (typeof margin !== 'number' || margin < harm) return [margin, harm];
  const below = Math.min(margin, 0.99 * most);
  return [below, (below + most) / 2];
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
