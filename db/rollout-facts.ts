import { and, desc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { definitionByDigest } from './definition-queries.js';
import { PerdureError } from '../domain/errors.js';
import { judgedMetricSchema, type JudgedMetric } from '../domain/judge-policy.js';
import type { Environment } from '../domain/names.js';
import { pastSamples, type PastLook } from '../domain/past-samples.js';
import { alphaOfStage, type SettledRollout } from '../domain/rollout-plan.js';
import { rolloutPolicySchema, type RolloutPolicy } from '../domain/rollout-policy.js';
import { stageEffects, type PresentTraffic, type StageEffect } from '../domain/rollout-effect.js';
import { stagesOf } from '../domain/rollout-stage.js';
import { championOf } from '../domain/route.js';
import { describeIssues } from '../domain/schema-issue.js';
import { addWindows } from '../domain/serving-totals.js';
import { stretchStages } from '../domain/stretched-stages.js';
import type { Database } from './connect.js';
import { recentWindows } from './gateway-queries.js';
import { routeOf } from './route-queries.js';
import { versionOf } from './run-queries.js';
import { rolloutLooks, rollouts } from './schema/index.js';

export interface RolloutQuestion {
  environment: Environment;
  model: string;
  challenger: number;
  /** Further versions that are compared as shadows. */
  alsoShadow: readonly number[];
}

/** What a rollout would do, and what it would take. */
export interface RolloutOutlook {
  settled: SettledRollout;
  /** What each stage needs, as the policy wrote it. Empty where nobody judges. */
  effects: StageEffect[];
  traffic: PresentTraffic;
  /** One sentence on each stage that was lengthened because it could not see the named harm. */
  changes: string[];
  /** Why the policy does not let it begin at the present traffic; null when it may. */
  refused: string | null;
}

/**
 * What a rollout of this version would do as things stand now. Nothing is written.
 * @throws PerdureError `not-found` for a version that is not registered, `input/invalid` for shadows that make no sense.
 */
export async function rolloutOutlook(
  db: Database,
  { environment, model, challenger, alsoShadow }: RolloutQuestion,
): Promise<RolloutOutlook> {
  const policy = await policyOf(db, model, challenger);
  const route = await routeOf(db, environment, model);
  const present = route ? championOf(route.split) : null;
  const champion = present === challenger ? null : present;
  if (alsoShadow.length > 0 && policy.strategy !== 'shadow')
    throw new PerdureError(
      'input/invalid',
      `alsoShadow: the strategy of ${model}@${challenger} is ${policy.strategy}, which has no shadows. Leave it out.`,
    );
  for (const version of alsoShadow) {
    await versionOf(db, model, version);
    if (version === challenger || version === present)
      throw new PerdureError('input/invalid', `alsoShadow: ${model}@${version} takes part already. Leave it out.`);
  }
  const written = stagesOf(policy, { hasChampion: champion !== null });
  const judged = policy.strategy !== 'direct' && champion !== null;
  const metrics = judged ? [...policy.judge.metrics, ...(policy.strategy === 'ab' ? [policy.outcome] : [])] : [];
  const traffic = champion === null ? noTraffic : await presentTraffic(db, { environment, model, champion, metrics });
  const effects = judged ? stageEffects(policy, written, traffic) : [];
  const { stages, changes, refused } = judged
    ? stretchStages(written, policy.judge, effects)
    : { stages: written, changes: [], refused: null };
  const parties = { champion, challenger, alsoShadow, testers: policy.testers };
  const settled = { policy, parties, stages, alphaOfStage: alphaOfStage(policy, stages), epochBefore: route?.epoch ?? null };
  return { settled, effects, traffic, changes, refused };
}

const noTraffic: PresentTraffic = { requestsPerSecond: null, champion: null };

interface TrafficQuestion {
  environment: Environment;
  model: string;
  champion: number;
  metrics: readonly JudgedMetric[];
}

/** What the model was asked in the last quarter of an hour, and what its champion answered. Null where nothing was counted. */
async function presentTraffic(db: Database, { environment, model, champion, metrics }: TrafficQuestion): Promise<PresentTraffic> {
  const windows = (await recentWindows(db, { environment, model, minutes: 15 })).filter((window) => window.role === 'split');
  const requests = addWindows(windows).requests;
  if (requests === 0) return noTraffic;
  const from = Math.min(...windows.map((window) => Date.parse(window.from)));
  const to = Math.max(...windows.map((window) => Date.parse(window.to)));
  const own = addWindows(windows.filter((window) => window.version === champion && !window.cold));
  const samples = own.requests === 0 ? {} : pastSamples(metrics, await pastLooks(db, environment, model), own.requests);
  return {
    requestsPerSecond: to > from ? requests / ((to - from) / 1000) : null,
    champion: own.requests === 0 ? null : { ...own, samples },
  };
}

/** Enough for the last few rollouts, of which only the newest with the metric counts. */
const pastLooksMax = 100;

/** Of a stored look's inputs, what is read again here. Looks of earlier releases have none of it and tell nothing. */
const pastLookSchema = z
  .object({
    policy: z.object({ metrics: z.array(judgedMetricSchema) }),
    outcome: judgedMetricSchema.nullable(),
    champion: z.object({ requests: z.number(), samples: z.record(z.string(), z.object({ count: z.number(), sum: z.number() })) }),
  })
  .transform(({ policy, outcome, champion }): PastLook => ({ metrics: outcome ? [...policy.metrics, outcome] : policy.metrics, ...champion }));

async function pastLooks(db: Database, environment: Environment, model: string): Promise<PastLook[]> {
  const looks = await db.orm
    .select({ inputs: rolloutLooks.inputs })
    .from(rolloutLooks)
    .innerJoin(rollouts, eq(rollouts.id, rolloutLooks.rolloutId))
    .where(and(eq(rollouts.model, model), eq(rollouts.environment, environment)))
    .orderBy(desc(rolloutLooks.at))
    .limit(pastLooksMax);
  return looks.flatMap(({ inputs }) => pastLookSchema.safeParse(inputs).data ?? []);
}

/** The rollout policy that a version carries. @throws PerdureError `definition/invalid` for one written for an earlier release. */
export async function policyOf(db: Database, model: string, version: number): Promise<RolloutPolicy> {
  const { definitionSha256 } = await versionOf(db, model, version);
  const { rollout } = await definitionByDigest(db, definitionSha256);
  const parsed = rolloutPolicySchema.safeParse(rollout);
  if (parsed.success) return parsed.data;
  throw new PerdureError(
    'definition/invalid',
    `${model}@${version} carries a rollout policy that this release does not read: rollout.${describeIssues(parsed.error.issues)}. Apply the model's definition again and train a new version.`,
    { model, version },
  );
}
