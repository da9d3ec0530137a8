import { needsNoApproval, approvalState } from '../../../domain/promotion/approval-state.js';
import { grouped, type Check, type Facts, type PromotionRow, type RolloutRow } from '../facts.js';

/**
 * Decisions are only ever added. Whoever was told that their approval counts finds it there, counted, and counted once.
 */
export const noLostApproval: Check = ({ decisions, told }) => {
  const changed = decisions
    .filter(({ change }) => change !== 'INSERT')
    .map(({ change, row }) => `decision ${row.sequence} of promotion ${row.promotionId} was changed: ${change}`);
  const rows = decisions.filter(({ change }) => change !== 'DELETE').map(({ row }) => row);
  const gone = decisions
    .filter(({ change }) => change === 'DELETE')
    .map(({ row }) => `${row.promotionId} ${row.sequence}`);
  const standing = rows.filter((row) => row.counted && !gone.includes(`${row.promotionId} ${row.sequence}`));
  const lost = told
    .filter(({ promotionId, actor }) => !standing.some((row) => row.promotionId === promotionId && row.actor === actor))
    .map(
      ({ promotionId, actor }) => `${actor} was told that the approval of ${promotionId} counts, and it is not there`,
    );
  const twice = grouped(standing, (row) => `${row.actor} ${row.promotionId} ${row.evidenceSha256}`)
    .filter((group) => group.length > 1)
    .map(([row]) => `${row?.actor} counts twice in promotion ${row?.promotionId}`);
  return [...changed, ...lost, ...twice];
};

/**
 * A rollout writes its first route only after its promotion had all the decisions that its policy asks for, on the
 * evidence that was shown.
 */
export const effectOnlyWithApprovals: Check = (facts) =>
  facts.rollouts
    .filter(({ change }) => change === 'INSERT')
    .flatMap(({ row }) => {
      const first = facts.routes.find((route) => route.row.idempotencyKey.startsWith(`${row.id}/`));
      return first === undefined
        ? []
        : whatLacked(facts, row, first.order).map((why) => `version ${row.challenger} got traffic ${why}`);
    });

function whatLacked({ promotions, decisions }: Facts, rollout: RolloutRow, order: number): string[] {
  if (rollout.promotionId === null) return ['without a promotion'];
  const promotion: PromotionRow | undefined = promotions.findLast(
    (one) => one.row.id === rollout.promotionId && one.order < order,
  )?.row;
  if (!promotion?.evidence) return ['before evidence was shown'];
  if (promotion.version !== rollout.challenger) return [`by a promotion of version ${promotion.version}`];
  const { policy, champion } = promotion.evidence;
  if (needsNoApproval(policy, champion)) return [];
  const said = decisions
    .filter((one) => one.order < order && one.change === 'INSERT')
    .filter(({ row }) => row.promotionId === promotion.id && row.evidenceSha256 === promotion.evidenceSha256)
    .map(({ row: { actor, decision, counted, roles } }) => ({ actor, decision, counted, ...(roles && { roles }) }));
  return approvalState(policy, said) === 'approved'
    ? []
    : ['without the approvals that its policy asks for on the evidence shown'];
}
