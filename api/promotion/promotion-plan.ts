import type { PromotionPlan } from '../../client/http/promotion-plan.js';
import { rulesInForce } from '../../db/model/definition-queries.js';
import { liveGateways } from '../../db/serving/gateway-queries.js';
import { whyEnvironmentRefuses } from '../../db/promotion/floor-facts.js';
import { listPromotions } from '../../db/promotion/promotion-lists.js';
import { rolloutOutlook } from '../../db/rollout/rollout-facts.js';
import { runningRollout } from '../../db/rollout/rollout-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import type { Database } from '../../db/connect.js';
import { requirementsOf } from '../../domain/promotion/approval-slots.js';
import { compatibilityText } from '../../domain/data/contract-compatibility.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { needsNoApproval } from '../../domain/promotion/approval-state.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { floorOf } from '../../domain/promotion/floor.js';
import type { ApiDeps } from '../deps.js';
import { policyAfter } from '../../domain/promotion/rules-in-force.js';
import { setBackOf } from '../../db/rollout/champion-history.js';
import { routeOfStage } from '../../domain/rollout/strategy-stages.js';

interface Question {
  model: string;
  version: number;
  environment?: Environment | undefined;
  /** Further versions that are to answer copies beside it. */
  alsoShadow?: readonly number[] | undefined;
}

/** What promoting a version would take, before anything moves. @throws PerdureError `not-found` or `input/invalid`. */
export async function promotionPlan(
  { db, objects, floors }: Pick<ApiDeps, 'db' | 'objects' | 'floors'>,
  { model, version, environment: asked, alsoShadow = [] }: Question,
): Promise<PromotionPlan> {
  const registered = await versionOf(db, model, version);
  const rules = (await rulesInForce(db, model)).definition;
  const { promotion } = rules;
  const environment = asked ?? promotion.environments[0] ?? 'production';
  const setBack = await setBackOf(db, { environment, model, version });
  const policy = policyAfter(promotion, setBack);
  if (!policy.environments.includes(environment))
    throw new PerdureError(
      'input/invalid',
      `environment: the policy of ${model} knows ${policy.environments.join(', ')}, not ${environment}. Add ` +
        'it to promotion.environments.',
    );
  const { settled, present, sampleSizes, traffic, changes, contract, notBefore, refused } = await rolloutOutlook(db, {
    environment,
    model,
    challenger: version,
    alsoShadow,
  });
  const candidate = {
    environment,
    definition: rules,
    runId: registered.runId,
    snapshotSha256: registered.snapshotSha256,
  };
  const undercut = await whyEnvironmentRefuses(db, objects, floorOf(await floors(), environment), candidate);
  const { parties } = settled;
  const already = present === version;
  // What serves whole already is not moved: there are no stages to show.
  const stages = already ? [] : settled.stages;
  return {
    ...{ model, version, environment, environments: policy.environments, champion: present },
    gates: registered.gates.map(({ name, outcome }) => ({ name, outcome })),
    approvals: approvalsOf(policy, present),
    strategy: settled.policy.strategy,
    requestsPerSecond: traffic.requestsPerSecond,
    stages: stages.map((stage, at) => {
      const route = routeOfStage(stage, parties);
      const { name, comparison, minRequests, minSeconds, maxSeconds } = stage;
      const { metrics = [], requests = null, seconds = null } = sampleSizes[at] ?? {};
      return { ...route, ...{ name, comparison, minRequests, minSeconds, maxSeconds }, metrics, requests, seconds };
    }),
    contract: { ...contract, text: compatibilityText(contract), notBefore },
    ...{ changes, refused: undercut ?? refused },
    conflicts: [
      ...(setBack
        ? [`${model}@${version} was taken back at ${setBack.at} (${setBack.reason}): it needs a new approval.`]
        : []),
      ...(await conflictsOf(db, { model, version, environment, policy, already })),
    ],
  };
}

function approvalsOf(policy: PromotionPolicy, champion: number | null): PromotionPlan['approvals'] {
  const automatic = !needsNoApproval(policy, champion)
    ? null
    : champion === null && policy.firstVersion === 'automatic'
      ? 'the environment is empty, and the policy admits a first version automatically'
      : 'the policy requires no approval';
  return {
    automatic,
    requires:
      automatic === null ? requirementsOf(policy, false).map(({ count, roles }) => ({ count, roles: [...roles] })) : [],
    escalateAfterHours: policy.escalateAfterHours ?? null,
    expireAfterHours: policy.expireAfterHours,
  };
}

interface PlannedPromotion {
  model: string;
  version: number;
  environment: Environment;
  policy: PromotionPolicy;
  /** Whether it is champion there. */
  already: boolean;
}

async function conflictsOf(
  db: Database,
  { model, version, environment, policy, already }: PlannedPromotion,
): Promise<string[]> {
  const conflicts: string[] = [];
  const whole = async (where: Environment) => {
    const route = await routeOf(db, where, model);
    return route?.split.length === 1 ? (route.split[0]?.version ?? null) : null;
  };
  if (already)
    conflicts.push(
      `${model}@${version} is already champion in ${environment}: a promotion would be closed as superseded.`,
    );
  const before = policy.environments[policy.environments.indexOf(environment) - 1];
  if (before !== undefined && (await whole(before)) !== version)
    conflicts.push(
      `${model}@${version} must be champion in ${before} first: perdure promote ` +
        `${model}@${version} --to ${before}.`,
    );
  const rollout = await runningRollout(db, environment, model);
  if (rollout)
    conflicts.push(
      `The rollout of ${model}@${rollout.challenger} in ${environment} is ${rollout.state}: this one waits ` +
        `until it has ended (perdure rollout status ${model} --env ${environment}).`,
    );
  for (const open of (await listPromotions(db, { model, environment, open: true, limit: 20 })).items) {
    const same = open.version === version;
    if (open.state !== 'rolling-out')
      conflicts.push(
        `A promotion of ${model}@${open.version} to ${environment} is open (${open.state})${
          same
            ? `: asking again finds it, as it was asked for (perdure promotions show ${model}@${version} ` +
              `--env ${environment})`
            : `: whichever is rolled out second needs new approvals`
        }.`,
      );
  }
  if ((await liveGateways(db, environment, model)).length === 0)
    conflicts.push(`No gateway of ${environment} is alive: a rollout waits for one (perdure status).`);
  return conflicts;
}
