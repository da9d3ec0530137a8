import { describe, expect, it } from 'vitest';
import { promotionPolicySchema } from '../../../../domain/promotion/promotion-policy.js';
import {
  measuresAlike,
  policyAfter,
  rulesDigest,
  underRulesInForce,
  whyOtherRules,
  whyOtherSetBack,
} from '../../../../domain/promotion/rules-in-force.js';
import type { Evidence } from '../../../../domain/promotion/promotion.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const { evaluation } = flightDelay;
const evidence = (rules = flightDelay): Evidence =>
  ({ policy: rules.promotion, rollout: rules.rollout, rulesSha256: rulesDigest(rules) }) as unknown as Evidence;

describe('a version under the rules in force', () => {
  it('keeps what it was trained on, and is judged by the applied definition', () => {
    const own = parseModelDefinition({
      ...flightDelay,
      training: { seed: 7 },
      evaluation: { gates: [{ name: 'mine', metric: 'rocAuc', atLeast: 0.01 }] },
      promotion: { approvals: { count: 0 } },
      rollout: { strategy: 'direct', reason: 'mine' },
      monitoring: { retentionDays: 31 },
    });
    const judged = underRulesInForce(own, flightDelay);
    expect(judged).toMatchObject({
      training: { seed: 7 },
      contract: own.contract,
      promotion: flightDelay.promotion,
      rollout: flightDelay.rollout,
    });
    expect(judged).toMatchObject({ evaluation, monitoring: flightDelay.monitoring });
  });

  it('is not sliced by a feature that it does not have', () => {
    const { carrier: _, ...features } = flightDelay.contract.features;
    const own = { ...flightDelay, contract: { ...flightDelay.contract, features } };
    expect(underRulesInForce(own, flightDelay).evaluation.slices).toEqual(['origin']);
  });
});

describe('an evaluation', () => {
  it('serves other gates while it would be measured alike', () => {
    expect(
      measuresAlike(evaluation, { ...evaluation, gates: [], parityMax: 1, slices: [...evaluation.slices].reverse() }),
    ).toBe(true);
  });
  it.each([{ threshold: 0.4 }, { slices: ['origin'] }, { bootstrapRounds: 100 }, { confidencePct: 50 }])(
    'is made again for %j',
    (change) => {
      expect(measuresAlike(evaluation, { ...evaluation, ...change })).toBe(false);
    },
  );
});

describe('evidence', () => {
  it('holds under the rules that it shows, whatever else of the definition is changed', () => {
    expect(whyOtherRules(evidence(), { ...flightDelay })).toBeNull();
    expect(whyOtherRules(evidence(), { ...flightDelay, ...{ owner: 'another', description: 'another' } })).toBeNull();
  });
  it.each([
    ['promotion', { promotion: { ...flightDelay.promotion, expireAfterHours: 1 } }],
    ['rollout', { rollout: { ...flightDelay.rollout, lookEverySeconds: 1 } }],
    ['evaluation', { evaluation: { ...evaluation, gates: evaluation.gates.slice(1) } }],
  ])('does not hold once %s is another', (place, change) => {
    expect(whyOtherRules(evidence(), { ...flightDelay, ...change })).toContain(place);
  });
  it('of an earlier release is gathered again', () => {
    const { rulesSha256: _, ...before } = evidence();
    expect(whyOtherRules(before, flightDelay)).toContain('earlier release');
  });
});

describe('a version that was taken back for harm', () => {
  const setBack = { epoch: 7, at: '2026-01-01T00:00:00.000Z', reason: 'the judge says fail' };
  const requires = (policy: object) => {
    const { firstVersion, approvals } = policyAfter(promotionPolicySchema.parse(policy), setBack);
    return [firstVersion, approvals.count];
  };

  it('is never let in by the policy alone', () => {
    expect(requires({ approvals: { count: 0 } })).toEqual(['approval', 1]);
    expect(requires({ approvals: { count: 2 } })).toEqual(['approval', 2]);
    expect(requires({ approvals: { count: 0, alsoRequire: [{ roles: ['risk'] }] } })).toEqual(['approval', 0]);
    expect(policyAfter(flightDelay.promotion, null)).toBe(flightDelay.promotion);
  });

  it('is judged on evidence that says so: what was approved before does not count, nor what was approved before it served again', () => {
    const before = { ...evidence(), version: 2, setBack: null };
    expect(whyOtherSetBack(before, null)).toBeNull();
    expect(whyOtherSetBack(before, setBack)).toContain('taken back at 2026');
    expect(whyOtherSetBack({ ...before, setBack }, { ...setBack, epoch: 9 })).toContain('taken back');
    expect(whyOtherSetBack({ ...before, setBack }, null)).toContain('brought in by another rollout');
    expect(
      whyOtherRules({ ...before, setBack, policy: policyAfter(flightDelay.promotion, setBack) }, flightDelay),
    ).toBeNull();
    expect(whyOtherRules({ ...before, setBack }, flightDelay)).toContain('promotion');
  });
});
