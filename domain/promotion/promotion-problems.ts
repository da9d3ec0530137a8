import type { BreakingContract } from './contract-consent.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { promotionPolicySchema, type PromotionPolicy } from './promotion-policy.js';

const defaults = promotionPolicySchema.parse({});

/** What is wrong with a promotion beyond its shape. */
export function promotionProblems({
  remindAfterHours,
  expireAfterHours,
  approvals,
}: PromotionPolicy): DefinitionProblem[] {
  const problems: DefinitionProblem[] = [];
  // A promotion that expires sooner than after the reminder that nobody wrote down is no mistake.
  if (remindAfterHours > expireAfterHours && remindAfterHours !== defaults.remindAfterHours)
    problems.push({
      path: 'promotion.remindAfterHours',
      message: `is more than expireAfterHours (${expireAfterHours}): no reminder would ever be sent`,
    });
  for (const [index, { roles }] of [approvals, ...approvals.alsoRequire].entries()) {
    const path = index === 0 ? 'promotion.approvals.roles' : `promotion.approvals.alsoRequire[${index - 1}].roles`;
    const twice = roles.find((role, at) => roles.indexOf(role) !== at);
    if (twice !== undefined) problems.push({ path, message: `${twice} is named twice` });
  }
  return problems;
}

/** A cut-over ends after it begins. */
export function cutOverProblems(consent: BreakingContract = 'refuse'): DefinitionProblem[] {
  if (consent === 'refuse') return [];
  const { from, until } = consent.cutOver;
  if (new Date(from) < new Date(until)) return [];
  return [{ path: 'promotion.breakingContract.cutOver.until', message: `must be later than from (${from})` }];
}
