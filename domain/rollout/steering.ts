import type { DecisionProof, DecisionTrust } from '../decision-trust.js';
import type { SteeringCommand } from '../workflow-inputs.js';

/** Commands that lead back, or keep what is: nobody is kept from them. The others move traffic to the challenger. */
export const isTowardsSafety = (command: SteeringCommand): boolean => command === 'pause' || command === 'abort';

export interface SteeringSituation {
  command: SteeringCommand;
  actor: string;
  /** Null where the access file could not be read. */
  roles: readonly string[] | null;
  /** Roles that may approve promotions of this rollout, and `owner`. */
  mayMove: readonly string[];
  trust: DecisionTrust;
  proof: DecisionProof;
}

/**
 * Why a command may not move traffic; null where it may. Under frontend trust whoever reaches the frontend steers, and
 * only a signature that does not hold is refused.
 */
export function whyNotSteered({ command, actor, roles, mayMove, trust, proof }: SteeringSituation): string | null {
  if (isTowardsSafety(command)) return null;
  if (proof.kind === 'refused') return proof.reason;
  if (trust === 'frontend') return null;
  if (proof.kind === 'unsigned')
    return (
      `it is not signed, and PERDURE_DECISION_TRUST is "signed": use \`perdure rollout ${command}\`, or ` +
      'POST /api/v1/rollouts/ID/steering, which signs'
    );
  if (roles === null) return 'the access file cannot be read: fix it, then send the command again';
  return roles.some((role) => mayMove.includes(role))
    ? null
    : `${actor} has none of the roles ${mayMove.join(', ')}: see the access file`;
}
