import { versionContractOutlook, type ContractOutlook } from '../promotion/contract-facts.js';
import { rulesInForce } from '../model/definition-queries.js';
import { ruleOnContract } from '../../domain/promotion/contract-consent.js';
import { whyStaysOut } from '../../domain/data/snapshot/row-sample.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { alphaOfStage, type SettledRollout } from '../../domain/rollout/rollout-plan.js';
import { stageSampleSizes, type RecentTraffic, type StageSampleSize } from '../../domain/rollout/sample-size.js';
import { stagesOf } from '../../domain/rollout/strategy-stages.js';
import { championOf } from '../../domain/serving/route.js';
import { stretchStages } from '../../domain/rollout/stretch-stages.js';
import type { Database } from '../connect.js';
import { noTraffic, recentTraffic } from './recent-traffic.js';
import { routeOf } from '../serving/route-queries.js';
import { versionOf } from '../model/version-queries.js';
import { runById } from '../training/run-queries.js';

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
  /** The version that is champion now, the challenger itself too; null in an empty environment. */
  present: number | null;
  /** What each stage needs, as the policy wrote it. Empty where nobody judges. */
  sampleSizes: StageSampleSize[];
  traffic: RecentTraffic;
  /** One sentence on each stage that was lengthened because it could not see the named harm. */
  changes: string[];
  /** What callers would find. */
  contract: ContractOutlook;
  /** The moment before which a declared cut-over does not begin; null where there is none to wait for. */
  notBefore: string | null;
  /** Why the policy does not let it begin, for the sake of callers or at the present traffic; null when it may. */
  refused: string | null;
}

/**
 * What a rollout of this version would do as things stand now, by the policy in force. Nothing is written.
 * @throws PerdureError `not-found` for a version that is not registered, `input/invalid` for shadows that make no
 * sense.
 */
export async function rolloutOutlook(
  db: Database,
  { environment, model, challenger, alsoShadow }: RolloutQuestion,
): Promise<RolloutOutlook> {
  await versionOf(db, model, challenger);
  const { rollout: policy, promotion } = (await rulesInForce(db, model)).definition;
  const contract = await versionContractOutlook(db, { environment, model, version: challenger });
  const callers = ruleOnContract(contract, promotion.breakingContract, policy.strategy, new Date());
  const route = await routeOf(db, environment, model);
  const present = route ? championOf(route.split) : null;
  const champion = present === challenger ? null : present;
  await mustHaveShadows(db, { environment, model, version: challenger, alsoShadow, strategy: policy.strategy });
  if (present !== null && alsoShadow.includes(present)) throw takesPart(model, present);
  const written = stagesOf(policy, { hasChampion: champion !== null });
  const judged = policy.strategy !== 'direct' && champion !== null;
  const metrics = judged ? [...policy.judge.metrics, ...(policy.strategy === 'ab' ? [policy.outcome] : [])] : [];
  const traffic =
    present === null ? noTraffic : await recentTraffic(db, { environment, model, champion: present, metrics });
  const sampleSizes = judged ? stageSampleSizes(policy, written, traffic) : [];
  const { stages, changes, refused } = judged
    ? stretchStages(written, policy.judge, sampleSizes)
    : { stages: written, changes: [], refused: null };
  const parties = { champion, challenger, alsoShadow, testers: policy.testers };
  const settled = {
    policy,
    parties,
    stages,
    alphaOfStage: alphaOfStage(policy, stages),
    epochBefore: route?.epoch ?? null,
  };
  return {
    settled,
    present,
    sampleSizes,
    traffic,
    changes,
    contract,
    notBefore: callers.notBefore,
    refused: callers.refused ?? refused,
  };
}

/**
 * @throws PerdureError `input/invalid` where further versions cannot shadow beside this one, `not-found` for one that
 * is not registered.
 */
export async function mustHaveShadows(
  db: Database,
  {
    model,
    version,
    environment,
    alsoShadow,
    strategy,
  }: { environment: Environment; model: string; version: number; alsoShadow: readonly number[]; strategy: string },
): Promise<void> {
  if (alsoShadow.length > 0 && strategy !== 'shadow')
    throw new PerdureError(
      'input/invalid',
      `alsoShadow: the strategy of ${model}@${version} is ${strategy}, which has no shadows. Leave it out.`,
    );
  if (alsoShadow.includes(version)) throw takesPart(model, version);
  for (const other of alsoShadow) {
    const { sample } = await runById(db, (await versionOf(db, model, other)).runId);
    const stays = whyStaysOut(sample, environment);
    if (stays !== null) throw new PerdureError('input/invalid', `alsoShadow: ${model}@${other} stays out: ${stays}.`);
  }
}

const takesPart = (model: string, version: number) =>
  new PerdureError('input/invalid', `alsoShadow: ${model}@${version} already takes part. Leave it out.`);
