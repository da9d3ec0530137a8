import { describe, expect, it } from 'vitest';
import { compareContracts, compatibilityText } from '../../../../domain/data/contract-compatibility.js';
import { contractSchema, type Contract } from '../../../../domain/data/contract.js';

const today = '2026-03-15';

function contract(features: Record<string, object>, rest: object = {}): Contract {
  return contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'late', type: 'boolean' },
    features,
    ...rest,
  });
}

const number = { type: 'number' };
const text = { type: 'string' };
const compare = (before: Contract, after: Contract) =>
  compareContracts({ admitted: [before], challenger: after, today });
const kinds = (before: Contract, after: Contract) => {
  const { verdict, changes } = compare(before, after);
  return [verdict, ...changes.map(({ feature, change, breaking }) => `${feature} ${change}${breaking ? '!' : ''}`)];
};

describe('what a challenger makes of requests that are answered today', () => {
  const one = (before: object, after: object) => kinds(contract({ x: before }), contract({ x: after }));

  it.each([
    ['the same', number, number, ['compatible']],
    ['a description', number, { ...number, description: 'metres' }, ['compatible']],
    ['a wider range', { ...number, min: 0, max: 9 }, { ...number, max: 10 }, ['compatible', 'x widened']],
    ['a narrower range', number, { ...number, min: 0 }, ['breaking', 'x narrowed!']],
    ['a range that moved', { ...number, min: 0, max: 9 }, { ...number, min: 1, max: 20 }, ['breaking', 'x narrowed!']],
    [
      'a range that differs by less than FP32 can tell',
      { ...number, max: 0.1 },
      { ...number, max: 0.1 - 1e-12 },
      ['compatible'],
    ],
    ['another type', number, text, ['breaking', 'x retyped!']],
    ['null allowed', number, { ...number, nullable: true }, ['compatible', 'x nullable']],
    ['null forbidden', { ...number, nullable: true }, number, ['breaking', 'x not-nullable!', 'x required!']],
    [
      'null forbidden, with a default',
      { ...number, nullable: true },
      { ...number, default: 1 },
      ['breaking', 'x not-nullable!', 'x default'],
    ],
    [
      'another default',
      { ...number, default: 1 },
      { ...number, default: 2 },
      ['compatible-with-defaults', 'x default'],
    ],
    ['no default any more', { ...number, default: 1 }, number, ['breaking', 'x required!']],
    [
      'open levels that change',
      { ...text, levels: ['a', 'b'] },
      { ...text, levels: ['b', 'c'] },
      ['compatible', 'x level-removed', 'x level-added'],
    ],
    [
      'levels in another order',
      { ...text, levels: ['a', 'b'] },
      { ...text, levels: ['b', 'a'] },
      ['compatible', 'x reordered'],
    ],
    [
      'levels closed',
      { ...text, levels: ['a'] },
      { ...text, levels: ['a'], closed: true },
      ['breaking', 'x levels-closed!'],
    ],
    [
      'levels opened',
      { ...text, levels: ['a'], closed: true },
      { ...text, levels: ['a'] },
      ['compatible', 'x levels-opened'],
    ],
    [
      'a closed level more',
      { ...text, levels: ['a'], closed: true },
      { ...text, levels: ['a', 'b'], closed: true },
      ['compatible', 'x level-added'],
    ],
    [
      'a closed level fewer',
      { ...text, levels: ['a', 'b'], closed: true },
      { ...text, levels: ['a'], closed: true },
      ['breaking', 'x level-removed!'],
    ],
    ['shorter texts', text, { ...text, maxLength: 10 }, ['breaking', 'x max-length!']],
    ['longer texts', text, { ...text, maxLength: 300 }, ['compatible', 'x max-length']],
    [
      'shorter texts than no level needs',
      { ...text, levels: ['ab'], closed: true },
      { ...text, levels: ['ab'], closed: true, maxLength: 2 },
      ['compatible', 'x max-length'],
    ],
    [
      'texts shorter than a level',
      { ...text, levels: ['ab'], closed: true },
      { ...text, levels: ['ab'], closed: true, maxLength: 1 },
      ['breaking', 'x max-length!'],
    ],
  ])('%s', (_what, before, after, expected) => expect(one(before, after)).toEqual(expected));

  it('a feature more must be nullable or have a default, which is named', () => {
    const before = contract({ x: number });
    expect(kinds(before, contract({ x: number, y: text }))).toEqual(['breaking', 'y added!']);
    const after = contract({ x: number, y: { ...text, default: 'red' }, z: { ...number, nullable: true } });
    expect(kinds(before, after)).toEqual(['compatible-with-defaults', 'y added', 'z added']);
    expect(compatibilityText(compare(before, after))).toBe('compatible with these defaults: y = red, z missing');
  });

  it('a feature fewer must be accepted until a day to come; the message says how', () => {
    const before = contract({ x: number, y: text });
    const after = (until?: string) =>
      contract({ x: number }, until === undefined ? {} : { accepts: { y: { ...text, until } } });
    const { verdict, changes } = compare(before, after());
    expect(verdict).toBe('breaking');
    expect(changes[0]?.remedy).toContain("contract.accepts.y = { type: 'string', until:");
    expect(kinds(before, after('2026-03-15'))).toEqual(['compatible', 'y dropped']);
    expect(kinds(before, after('2026-03-14'))).toEqual(['breaking', 'y dropped!']);
  });

  it('a time of grace is kept to its end, and over after its last day', () => {
    const before = (until: string) => contract({ x: number }, { accepts: { y: { ...text, until } } });
    expect(kinds(before('2026-03-15'), contract({ x: number }))).toEqual(['breaking', 'y grace-period!']);
    expect(kinds(before('2026-04-30'), before('2026-04-01'))).toEqual(['breaking', 'y grace-period!']);
    expect(kinds(before('2026-04-01'), before('2026-04-30'))).toEqual(['compatible']);
    expect(kinds(before('2026-03-14'), contract({ x: number }))).toEqual(['compatible']);
  });

  it('a feature that comes back within its time of grace takes what callers still send, and nothing', () => {
    const before = contract({ x: number }, { accepts: { y: { ...number, min: 0, until: '2026-12-31' } } });
    expect(kinds(before, contract({ x: number, y: number }))).toEqual(['breaking', 'y added!', 'y widened']);
    expect(kinds(before, contract({ x: number, y: { ...number, default: 3 } }))).toEqual([
      'compatible-with-defaults',
      'y widened',
      'y added',
    ]);
    expect(kinds(before, contract({ x: number, y: { ...number, default: 3, min: 2 } }))).toEqual([
      'breaking',
      'y narrowed!',
      'y added',
    ]);
  });

  it('what looks renamed is called so, and both halves are named', () => {
    const before = contract({ x: number, colour: { ...text, levels: ['red', 'blue'] } });
    const after = contract({ x: number, color: { ...text, levels: ['red', 'blue'] } });
    expect(kinds(before, after)).toEqual(['breaking', 'colour renamed?!', 'color added!']);
    expect(compare(before, after).changes[0]?.effect).toContain('perhaps renamed to color');
    expect(
      kinds(
        contract({ x: number }),
        contract({ z: { ...number, from: 'x', default: 0 } }, { accepts: { x: { ...number, until: '2026-12-31' } } }),
      ),
    ).toEqual(['compatible-with-defaults', 'x renamed?', 'z added']);
  });

  it('an answer that means something else is breaking; one that is computed otherwise is told', () => {
    const label = (name: string, from?: string) =>
      contract({ x: number }, { label: { name, type: 'boolean', ...(from !== undefined && { from }) } });
    expect(kinds(label('late'), label('cancelled'))).toEqual(['breaking', 'label output!']);
    expect(kinds(label('late', 'delay > 15'), label('late', 'delay > 30'))).toEqual(['compatible', 'label output']);
  });

  it('another range of a label is a rule for the data, not for callers', () => {
    const label = (max: number) => contract({ x: number }, { label: { name: 'y', type: 'number', max } });
    expect(kinds(label(100), label(500))).toEqual(['compatible']);
  });

  it('other classes are another answer, and both lists are named', () => {
    const label = (...classes: string[]) => contract({ x: number }, { label: { name: 'y', type: 'string', classes } });
    const { verdict, changes } = compare(label('a', 'b'), label('a', 'b', 'c'));
    expect([verdict, changes[0]?.effect]).toEqual([
      'breaking',
      'means y (string of ["a","b","c"]) now; callers read it as y (string of ["a","b"])',
    ]);
  });

  it('answers what every admitted version takes, not only the champion', () => {
    const champion = contract({ x: number });
    const other = contract({ x: { ...number, nullable: true } });
    const { verdict, changes } = compareContracts({ admitted: [champion, other], challenger: champion, today });
    expect([verdict, changes.map((change) => change.change)]).toEqual(['breaking', ['not-nullable', 'required']]);
  });
});
