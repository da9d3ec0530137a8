import { and, desc, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { holdoutSamples, type HoldoutResult } from '../../domain/rollout/judge/holdout-samples.js';
import {
  isLogged,
  judgedMetricSchema,
  metricName,
  type JudgedMetric,
} from '../../domain/rollout/judge/judge-policy.js';
import type { Environment } from '../../domain/names.js';
import { pastSamples, type PastLook } from '../../domain/rollout/judge/past-samples.js';
import type { RecentTraffic } from '../../domain/rollout/sample-size.js';
import type { Database } from '../connect.js';
import { snapshotByDigest } from '../data/partition-queries.js';
import { versionOf } from '../model/version-queries.js';
import { lookInputs, rolloutLooks, rollouts } from '../schema/index.js';
import { servedRecently } from '../serving/serving-windows.js';

export const noTraffic: RecentTraffic = { requestsPerSecond: null, champion: null };

interface TrafficQuestion {
  environment: Environment;
  model: string;
  champion: number;
  metrics: readonly JudgedMetric[];
}

/**
 * What the model was asked in the last quarter of an hour, and what its champion answered. Null where nothing was
 * counted.
 */
export async function recentTraffic(
  db: Database,
  { environment, model, champion, metrics }: TrafficQuestion,
): Promise<RecentTraffic> {
  const served = await servedRecently(db, { environment, model, minutes: 15 });
  const requests = served.reduce((sum, one) => sum + one.requests, 0);
  if (requests === 0) return noTraffic;
  const from = Math.min(...served.map((one) => one.from.getTime()));
  const to = Math.max(...served.map((one) => one.to.getTime()));
  const own = served.find((one) => one.version === champion && !one.cold);
  const requestsPerSecond = to > from ? requests / ((to - from) / 1000) : null;
  if (own === undefined || own.requests === 0) return { ...noTraffic, requestsPerSecond };
  const counted = pastSamples(metrics, await pastLooks(db, environment, model), own.requests);
  const open = metrics.filter((metric) => counted[metricName(metric)] === undefined);
  const expected = open.some(isLogged)
    ? holdoutSamples(open, await holdoutResult(db, model, champion), own.requests)
    : {};
  const { errors, latency, scores } = own;
  const totals = { requests: own.requests, errors, latency, scores };
  return {
    requestsPerSecond,
    champion: { ...totals, samples: { ...expected, ...counted } },
    byHoldout: Object.keys(expected),
  };
}

async function holdoutResult(db: Database, model: string, version: number): Promise<HoldoutResult> {
  const { metrics, snapshotSha256 } = await versionOf(db, model, version);
  const { holdout } = await snapshotByDigest(db, snapshotSha256);
  return { metrics, holdout };
}

/** Of the last few rollouts only the newest with the metric counts. */
const pastRolloutsMax = 10;
const pastLooksMax = 100;

/** Of a stored look's inputs, what is read again here. Looks of earlier releases have none of it and tell nothing. */
const pastLookSchema = z
  .object({
    policy: z.object({ metrics: z.array(judgedMetricSchema) }),
    outcome: judgedMetricSchema.nullable(),
    champion: z.object({
      requests: z.number(),
      samples: z.record(z.string(), z.object({ count: z.number(), sum: z.number() })),
    }),
  })
  .transform(({ policy, outcome, champion }): PastLook => ({
    metrics: outcome ? [...policy.metrics, outcome] : policy.metrics,
    ...champion,
  }));

async function pastLooks(db: Database, environment: Environment, model: string): Promise<PastLook[]> {
  const newest = db.orm
    .select({ id: rollouts.id })
    .from(rollouts)
    .where(and(eq(rollouts.model, model), eq(rollouts.environment, environment)))
    .orderBy(desc(rollouts.startedAt))
    .limit(pastRolloutsMax);
  const looks = await db.orm
    .select({ inputs: lookInputs.inputs })
    .from(rolloutLooks)
    .innerJoin(
      lookInputs,
      and(eq(lookInputs.rolloutId, rolloutLooks.rolloutId), eq(lookInputs.look, rolloutLooks.look)),
    )
    .where(inArray(rolloutLooks.rolloutId, newest))
    .orderBy(desc(rolloutLooks.at))
    .limit(pastLooksMax);
  return looks.flatMap(({ inputs }) => pastLookSchema.safeParse(inputs).data ?? []);
}
