import type { RolloutLookActivities } from '../../../activities/rollout/rollout-looks.js';
import type { RolloutWaitActivities } from '../../../activities/rollout/rollout-waits.js';
import type { RouteActivities } from '../../../activities/serving/routes.js';
import type { RolloutActivities } from '../../../activities/rollout/rollouts.js';
import { PerdureError } from '../../../domain/errors.js';
import type { RolloutStage } from '../../../domain/rollout/judge/rollout-stage.js';
import { championOf } from '../../../domain/serving/route.js';
import { routeOfStage, stagesOf, type RolloutParties } from '../../../domain/rollout/strategy-stages.js';
import { inconclusiveEnd } from '../../../domain/rollout/move-after-look.js';
import type { WorldFacts } from './world-facts.js';

/** A rollout: its plan by the world's policy, its routes, and what the judge says. */
export function fakeRollouts(
  world: WorldFacts,
): RolloutActivities & RouteActivities & RolloutLookActivities & RolloutWaitActivities {
  let planned: { stages: RolloutStage[]; parties: RolloutParties } | undefined;
  return {
    planRollout: async ({ challenger, alsoShadow }) => {
      if (world.staleRollouts-- > 0) throw new PerdureError('promotion/stale', 'version 9 is champion now');
      const champion = world.champion === challenger ? null : world.champion;
      const stages = stagesOf(world.rolloutPolicy, { hasChampion: champion !== null });
      const parties = { champion, challenger, alsoShadow, testers: world.rolloutPolicy.testers };
      planned = { stages, parties };
      const { lookEverySeconds, acknowledgeWithinSeconds, lateLabels } = world.rolloutPolicy;
      return {
        champion,
        stages: stages.map((stage) => ({ ...stage, onInconclusive: inconclusiveEnd(world.rolloutPolicy, stage) })),
        ...{ lookEverySeconds, acknowledgeWithinSeconds, lateLabels: lateLabels !== undefined && champion !== null },
        changes: [],
      };
    },
    setRolloutState: async ({ state, reason }) => void world.rollouts.push({ state, reason }),
    writeRoute: async ({ target, reason, idempotencyKey, lease, by }) => {
      if (world.leases.get(lease.name) !== lease.holder)
        throw new PerdureError('lease/lost', `${lease.name} is held by another`);
      const before = world.routes.find((route) => route.key === idempotencyKey);
      if (before) return { epoch: before.epoch };
      const epoch = (world.routes.at(-1)?.epoch ?? 0) + 1;
      const whole = { shadows: [], standby: [], overrides: [] };
      const stage = 'stage' in target ? planned?.stages[target.stage] : undefined;
      const written =
        'split' in target ? { ...whole, ...target } : stage && planned && routeOfStage(stage, planned.parties);
      if (!written) throw new Error('the rollout was never planned');
      world.routes.push({ epoch, ...written, reason, key: idempotencyKey, ...(by && { by: by.actor }) });
      return { epoch };
    },
    lookAtRollout: async ({ look }) => {
      world.looks.push(look);
      const verdict = (world.verdicts.length > 1 ? world.verdicts.shift() : world.verdicts[0]) ?? 'no-data';
      return { verdict, summary: `${verdict}.`, exhausted: world.exhausted };
    },
    awaitRolloutTurn: async () => undefined,
    awaitRolloutEnd: async () => world.rolloutEnd,
    cancelRollout: async ({ rolloutId }) => void world.cancelledRollouts.push(rolloutId),
    planRollback: async ({ to, leaves = null }) => {
      const seen = world.routes.filter((route) => leaves === null || route.epoch <= leaves);
      const left = championOf(seen.at(-1)?.split ?? [{ version: 0, sharePct: 100 }]);
      const version = to ?? seen.map((route) => championOf(route.split)).findLast((one) => one !== left) ?? 0;
      const now = world.routes.at(-1);
      const done =
        now !== undefined &&
        now.split.length === 1 &&
        championOf(now.split) === version &&
        now.epoch > (leaves ?? Infinity);
      return { version, alreadySince: done ? now.epoch : null };
    },
  };
}
