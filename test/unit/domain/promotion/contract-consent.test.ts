import { describe, expect, it } from 'vitest';
import { compareContracts } from '../../../../domain/data/contract-compatibility.js';
import { ruleOnContract } from '../../../../domain/promotion/contract-consent.js';
import { contractSchema } from '../../../../domain/data/contract.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const contract = (features: object) =>
  contractSchema.parse({ entity: ['id'], eventTime: 'at', label: { name: 'late', type: 'boolean' }, features });
const [before, after] = [contract({ x: { type: 'number' } }), contract({ y: { type: 'number' } })];
const breaking = compareContracts({ admitted: [before], challenger: after, today: '2026-03-15' });
const compatible = compareContracts({ admitted: [before], challenger: before, today: '2026-03-15' });
const cutOver = { cutOver: { from: '2026-03-15T06:00:00Z', until: '2026-03-15T08:00:00Z', reason: 'told in January' } };
const at = (time: string) => new Date(`2026-03-15T${time}:00Z`);

describe('whether a version with another contract may come in', () => {
  it('one that answers all that is answered always may, under any strategy', () => {
    expect(ruleOnContract(compatible, undefined, 'canary', at('07:00'))).toEqual({ refused: null, notBefore: null });
  });

  it('a breaking one may not unless the policy consents; the reason names each change and what to do', () => {
    for (const consent of [undefined, 'refuse' as const]) {
      const { refused } = ruleOnContract(breaking, consent, 'direct', at('07:00'));
      expect(refused).toMatch(
        /x is not taken any more.*contract\.accepts\.x.*y is new and must be sent.*promotion\.breakingContract/,
      );
    }
  });

  it('a cut-over is direct, begins not before its moment, and ends at its end', () => {
    expect(ruleOnContract(breaking, cutOver, 'direct', at('05:59'))).toEqual({
      refused: null,
      notBefore: cutOver.cutOver.from,
    });
    expect(ruleOnContract(breaking, cutOver, 'direct', at('06:00'))).toEqual({ refused: null, notBefore: null });
    expect(ruleOnContract(breaking, cutOver, 'direct', at('08:00')).refused).toContain('ended at 2026-03-15T08:00:00Z');
    for (const strategy of ['canary', 'blue-green', 'shadow', 'ab'] as const)
      expect(ruleOnContract(breaking, cutOver, strategy, at('07:00')).refused).toContain(
        'Set rollout.strategy to direct',
      );
  });

  it('a cut-over that ends before it begins is refused when applied', () => {
    const breakingContract = { cutOver: { ...cutOver.cutOver, until: cutOver.cutOver.from } };
    expect(() =>
      parseModelDefinition({ ...flightDelay, promotion: { ...flightDelay.promotion, breakingContract } }),
    ).toThrow(/promotion\.breakingContract\.cutOver\.until: must be later than from/);
  });
});
