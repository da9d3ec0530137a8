import { definitionByDigest } from './definition-queries.js';
import { PerdureError } from '../domain/errors.js';
import type { Environment } from '../domain/names.js';
import { alphaOfStage, type SettledRollout } from '../domain/rollout-plan.js';
import { rolloutPolicySchema, type RolloutPolicy } from '../domain/rollout-policy.js';
import { stagesOf } from '../domain/rollout-stage.js';
import { championOf } from '../domain/route.js';
import { describeIssues } from '../domain/schema-issue.js';
import type { Database } from './connect.js';
import { routeOf } from './route-queries.js';
import { versionOf } from './run-queries.js';

export interface RolloutQuestion {
  environment: Environment;
  model: string;
  challenger: number;
  /** Further versions that are compared as shadows. */
  alsoShadow: readonly number[];
}

/**
 * What a rollout of this version would do as things stand now. Nothing is written.
 * @throws PerdureError `not-found` for a version that is not registered, `input/invalid` for shadows that make no sense.
 */
export async function settleRollout(
  db: Database,
  { environment, model, challenger, alsoShadow }: RolloutQuestion,
): Promise<SettledRollout> {
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
  const stages = stagesOf(policy, { hasChampion: champion !== null });
  return {
    policy,
    parties: { champion, challenger, alsoShadow, testers: policy.testers },
    stages,
    alphaOfStage: alphaOfStage(policy, stages),
    epochBefore: route?.epoch ?? null,
  };
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
