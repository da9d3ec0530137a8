import type { PromotionPolicy } from './promotion-policy.js';

/** So many different people who have one of these roles. */
export interface ApprovalRequirement {
  count: number;
  roles: readonly string[];
}

export interface Approver {
  actor: string;
  /** Absent in decisions that version 0.1.0 recorded: they counted for the one requirement that there was. */
  roles?: readonly string[] | undefined;
}

export interface ApprovalSlots {
  /** Per requirement, in the policy's order: who fills it. */
  filledBy: string[][];
  /** What is still needed; empty once all slots are filled. */
  missing: ApprovalRequirement[];
}

/** Who must approve. Once a promotion has been escalated, people with an escalation role may fill any slot. */
export function requirementsOf(
  { approvals, escalateTo = [] }: PromotionPolicy,
  escalated: boolean,
): ApprovalRequirement[] {
  // A policy that a history of version 0.1.0 recorded has no further requirements.
  const further = (approvals.alsoRequire as PromotionPolicy['approvals']['alsoRequire'] | undefined) ?? [];
  return [{ count: approvals.count, roles: approvals.roles }, ...further]
    .filter(({ count }) => count > 0)
    .map(({ count, roles }) => ({ count, roles: escalated ? [...new Set([...roles, ...escalateTo])] : roles }));
}

/**
 * Gives each approver one slot at most, so that as many slots as possible are filled: a maximum matching, by
 * augmenting paths (Kuhn 1955). Who has several roles moves to where nobody else can stand.
 */
export function fillSlots(requirements: readonly ApprovalRequirement[], approvers: readonly Approver[]): ApprovalSlots {
  const people = [...new Map(approvers.map((one) => [one.actor, one])).values()];
  const fits = (person: Approver, requirement: number) =>
    person.roles === undefined
      ? requirement === 0
      : (requirements[requirement]?.roles.some((role) => person.roles?.includes(role)) ?? false);
  const slotOf = requirements.flatMap(({ count }, requirement) => Array.from({ length: count }, () => requirement));
  const holder: (Approver | undefined)[] = slotOf.map(() => undefined);

  const seat = (person: Approver, tried: Set<number>): boolean => {
    for (const [slot, requirement] of slotOf.entries()) {
      if (tried.has(slot) || !fits(person, requirement)) continue;
      tried.add(slot);
      const before = holder[slot];
      if (before !== undefined && !seat(before, tried)) continue;
      holder[slot] = person;
      return true;
    }
    return false;
  };
  for (const person of people) seat(person, new Set());

  const holdersOf = (requirement: number) => holder.filter((_, slot) => slotOf[slot] === requirement);
  const filledBy = requirements.map((_, requirement) =>
    holdersOf(requirement).flatMap((person) => (person ? [person.actor] : [])),
  );
  const missing = requirements
    .map(({ count, roles }, requirement) => ({ count: count - (filledBy[requirement]?.length ?? 0), roles }))
    .filter(({ count }) => count > 0);
  return { filledBy, missing };
}

/** `2 by approver or owner, 1 by risk-officer`. */
export function requirementText(requirements: readonly ApprovalRequirement[]): string {
  return requirements.map(({ count, roles }) => `${count} from ${roles.join(' or ')}`).join(', ');
}
