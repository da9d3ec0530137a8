import type { SteeringActivities } from '../../../activities/rollout/steering.js';
import type { DecisionProof } from '../../../domain/decision-trust.js';
import { whyNotSteered } from '../../../domain/rollout/steering.js';
import type { WorldFacts } from './world-facts.js';

/** What is said to rollouts is ruled on as in the product. */
export function fakeSteering(world: WorldFacts): SteeringActivities {
  return {
    ruleOnSteering: async ({ command, actor, refusedBecause, answer, ...said }) => {
      const roles = world.roles[actor] ?? [];
      const proof: DecisionProof = world.proofs[said.signature ?? ''] ?? { kind: 'unsigned' };
      const refused =
        refusedBecause ??
        whyNotSteered({ command, actor, roles, mayMove: ['approver', 'owner'], trust: world.trust, proof });
      world.steered.push({ command, actor, roles, accepted: refused === null, answer: refused ?? answer, ...said });
      return { accepted: refused === null, reason: refused ?? answer, roles };
    },
  };
}
