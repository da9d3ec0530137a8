import { describe, expect, it } from 'vitest';
import { fillSlots, requirementsOf, requirementText } from '../../../../domain/promotion/approval-slots.js';
import { promotionPolicySchema, type PromotionPolicy } from '../../../../domain/promotion/promotion-policy.js';
import { seededRandom } from '../../../../domain/statistics/random.js';

const need = (count: number, ...roles: string[]) => ({ count, roles });
const person = (actor: string, ...roles: string[]) => ({ actor, roles });

describe('slots for approvers', () => {
  it('are filled by moving who has several roles to where nobody else can stand', () => {
    const filled = fillSlots([need(1, 'a'), need(1, 'b')], [person('both', 'a', 'b'), person('first', 'a')]);
    expect(filled).toEqual({ filledBy: [['first'], ['both']], missing: [] });
  });

  it('take one person once, however often that person approves', () => {
    expect(fillSlots([need(2, 'a')], [person('ann', 'a'), person('ann', 'a')]).missing).toEqual([need(1, 'a')]);
  });

  it('leave out who has none of the roles', () => {
    expect(fillSlots([need(1, 'a')], [person('zoe', 'z'), person('nil')])).toEqual({
      filledBy: [[]],
      missing: [need(1, 'a')],
    });
  });

  it('count a decision that version 0.1.0 recorded without roles for the first requirement alone', () => {
    expect(fillSlots([need(1, 'a'), need(1, 'b')], [{ actor: 'old' }]).missing).toEqual([need(1, 'b')]);
  });

  it('are as many as any assignment can fill: compared with trying every assignment', () => {
    const { below } = seededRandom(7);
    const roles = ['a', 'b', 'c'];
    for (let round = 0; round < 300; round++) {
      const some = () => roles.filter(() => below(2) === 0);
      const requirements = Array.from({ length: 1 + below(3) }, () => need(1 + below(2), ...some()));
      const people = Array.from({ length: below(5) }, (_, index) => person(`p${index}`, ...some()));
      const { filledBy } = fillSlots(requirements, people);
      expect(filledBy.flat().length).toBe(mostFilled(requirements, people));
      expect(new Set(filledBy.flat()).size).toBe(filledBy.flat().length);
    }
  });
});

/** By trying for each person every slot, and none. */
function mostFilled(
  requirements: { count: number; roles: readonly string[] }[],
  people: { roles: string[] }[],
): number {
  const [first, ...others] = people;
  if (!first) return 0;
  const choices = requirements.flatMap((one, index) =>
    one.count > 0 && one.roles.some((role) => first.roles.includes(role))
      ? [
          1 +
            mostFilled(
              requirements.map((other, at) => (at === index ? { ...other, count: other.count - 1 } : other)),
              others,
            ),
        ]
      : [],
  );
  return Math.max(mostFilled(requirements, others), ...choices);
}

describe('requirements of a policy', () => {
  const policy = promotionPolicySchema.parse({
    approvals: { count: 2, alsoRequire: [{ roles: ['risk-officer'] }] },
    escalateAfterHours: 4,
    escalateTo: ['head'],
  });

  it('name each requirement; escalation roles may stand anywhere once it has come to that', () => {
    expect(requirementText(requirementsOf(policy, false))).toBe('2 from approver, 1 from risk-officer');
    expect(requirementText(requirementsOf(policy, true))).toBe('2 from approver or head, 1 from risk-officer or head');
  });

  it('are read from a policy that version 0.1.0 wrote into a history', () => {
    const old = { approvals: { count: 1, roles: ['approver'] } } as unknown as PromotionPolicy;
    expect(requirementsOf(old, false)).toEqual([need(1, 'approver')]);
  });
});
