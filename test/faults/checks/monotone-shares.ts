import { latest, type Check, type RolloutRow, type RouteRow, type Written } from '../facts.js';

/**
 * A rollout writes its stages in their order, each once, with what the stage grants and nothing more, so that the
 * challenger's share only rises; until it goes back, which gives the champion everything and is its last word.
 */
export const monotoneShares: Check = ({ routes, rollouts }) =>
  latest(rollouts, ({ id }) => id).flatMap((rollout) => {
    const own = routes.filter(({ row }) => row.idempotencyKey.startsWith(`${rollout.id}/`));
    return sharesOf(rollout, own).map((problem) => `rollout of version ${rollout.challenger}: ${problem}`);
  });

function sharesOf(rollout: RolloutRow, own: readonly Written<RouteRow>[]): string[] {
  const { stages, champion, challenger } = rollout;
  const problems: string[] = [];
  let share = 0;
  let isBack = false;
  for (const [at, { row }] of own.entries()) {
    const key = row.idempotencyKey.slice(rollout.id.length + 1);
    const given = row.split.find(({ version }) => version === challenger)?.sharePct ?? 0;
    const strangers = row.split.filter(({ version }) => version !== challenger && version !== champion);
    if (isBack) problems.push(`epoch ${row.epoch} (${key}) was written after it had gone back`);
    if (strangers.length > 0)
      problems.push(`epoch ${row.epoch} gives traffic to version ${strangers[0]?.version}, which takes no part`);
    if (key === 'back') {
      isBack = true;
      if (given !== 0) problems.push(`epoch ${row.epoch} goes back and leaves the challenger ${given} %`);
      continue;
    }
    const stage = stages[at];
    if (key !== `step-${at}` || stage === undefined) {
      problems.push(`epoch ${row.epoch} was written for ${key} as its number ${at + 1}`);
      continue;
    }
    if (given > stage.challengerPct)
      problems.push(`epoch ${row.epoch} gives ${given} %, its stage grants ${stage.challengerPct} %`);
    if (given < share)
      problems.push(`the share fell from ${share} to ${given} % in epoch ${row.epoch} without going back`);
    share = given;
  }
  return problems;
}
