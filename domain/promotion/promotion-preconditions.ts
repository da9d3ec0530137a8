import type { Environment } from '../names.js';
import type { RouteTarget } from '../serving/route.js';
import type { PromotionPolicy } from './promotion-policy.js';

/** A version, and the environment that it is to be promoted into. */
interface AskedPromotion {
  model: string;
  version: number;
  environment: Environment;
}

/** The environment in which a version must be champion before it is promoted into the next; undefined for the first. */
export const environmentBefore = (
  { environments }: Pick<PromotionPolicy, 'environments'>,
  environment: Environment,
): Environment | undefined => environments[environments.indexOf(environment) - 1];

/** Where a version goes once it is champion in an environment; undefined after the last. */
export const environmentAfter = (
  { environments }: Pick<PromotionPolicy, 'environments'>,
  environment: Environment,
): Environment | undefined => environments[environments.indexOf(environment) + 1];

/**
 * Why a promotion cannot be asked for; null where it can.
 *
 * @param before the environment before, and the route in force there
 */
export function whyNotAskedFor(
  { model, version, environment }: AskedPromotion,
  { environments }: Pick<PromotionPolicy, 'environments'>,
  before: { environment: Environment; route: Pick<RouteTarget, 'split'> | undefined } | undefined,
): { code: 'input/invalid' | 'state/conflict'; message: string } | null {
  if (!environments.includes(environment))
    return {
      code: 'input/invalid',
      message:
        `environment: the policy of ${model} knows ${environments.join(', ')}, not ${environment}. ` +
        'Add it to promotion.environments.',
    };
  const [only, ...others] = before?.route?.split ?? [];
  if (before === undefined || (others.length === 0 && only?.version === version)) return null;
  return {
    code: 'state/conflict',
    message:
      `${model}@${version} must be champion in ${before.environment} before it is promoted to ${environment}: ` +
      'promote it there first.',
  };
}

/** Why a promotion that was asked for has nothing to do any more; null where it has. */
export function whyOvertaken(
  { model, version, environment }: AskedPromotion,
  champion: number | undefined,
  wasShownBefore: boolean,
): string | null {
  if (champion === version) return `${model}@${version} is already champion in ${environment}`;
  return wasShownBefore && champion !== undefined && champion > version
    ? `version ${champion} became champion in ${environment} meanwhile`
    : null;
}
