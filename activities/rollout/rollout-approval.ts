import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { whyOtherRules, whyOtherSetBack } from '../../domain/promotion/rules-in-force.js';
import { rulesInForce } from '../../db/model/definition-queries.js';
import { decisionsOf, promotionInto } from '../../db/promotion/promotion-queries.js';
import { setBackOf } from '../../db/rollout/champion-history.js';
import { carriedOutBy } from '../../db/rollout/rollout-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { floorDigest } from '../../domain/promotion/floor.js';
import { readFloor } from '../promotion/environment-floor.js';
import { decisionTrust } from '../promotion/decision-trust.js';
import type { PromotionRecord } from '../../db/promotion/promotion-queries.js';

interface RolloutAsked {
  rolloutId: string;
  model: string;
  challenger: number;
  environment: Environment;
  promotionId: string | null;
}

/**
 * The approved promotion that a rollout carries out, still true as the rollout begins.
 * @throws PerdureError `promotion/not-approved` where there is none or it was used, `promotion/stale` where it no
 * longer
 *   holds.
 */
export async function approvalOfRollout(
  { db, config }: Pick<ActivityDependencies, 'db' | 'config'>,
  asked: RolloutAsked,
  champion: number | null,
): Promise<PromotionRecord> {
  const { model, challenger, environment } = asked;
  const promotion = await promotionInto(db, {
    model,
    version: challenger,
    environment,
    promotionId: asked.promotionId,
  });
  if (!promotion?.evidence) {
    throw new PerdureError(
      'promotion/not-approved',
      `${model}@${challenger} has no approved promotion to ${environment}: start promoteModel ` +
        `{"model":"${model}","version":${challenger}} first.`,
    );
  }
  const used = await carriedOutBy(db, promotion.id);
  if (used !== undefined && used.id !== asked.rolloutId)
    throw new PerdureError(
      'promotion/not-approved',
      `The promotion of ${model}@${challenger} to ${environment} was carried out by the rollout of ` +
        `${used.startedAt.toISOString()}, which is ${used.state}: an approval is valid for one rollout. ` +
        `Request another: perdure promote ${model}@${challenger}.`,
    );
  const stale =
    whyOtherRules(promotion.evidence, (await rulesInForce(db, model)).definition) ??
    whyOtherSetBack(promotion.evidence, await setBackOf(db, { environment, model, version: challenger })) ??
    (promotion.evidence.floorSha256 === floorDigest(await readFloor(config, environment))
      ? null
      : `the floor of ${environment} has changed since`) ??
    (await decisionTrust(config).whyNotLetIn(promotion, await decisionsOf(db, promotion.id)));
  if (stale !== null)
    throw new PerdureError(
      'promotion/stale',
      `${model}@${challenger} was approved, but ${stale}. Request a new promotion.`,
    );
  // What was approved is this challenger in the place of that champion; while a rollout waited for its turn,
  // another may have come.
  if (champion !== null && champion !== promotion.evidence.champion)
    throw new PerdureError(
      'promotion/stale',
      `version ${champion} is champion in ${environment} now, it was ` +
        `${promotion.evidence.champion ?? 'none'} when ${model}@${challenger} was approved. Ask for a ` +
        'promotion again.',
    );
  return promotion;
}
