import { describe, expect, it } from 'vitest';
import { changedDefinition } from '../../../domain/changed-definition.js';
import { definitionDigest } from '../../../domain/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';

describe('a definition changed for one run', () => {
  it('has the new value, a new digest, and leaves the one it came from as it was', () => {
    const before = definitionDigest(flightDelay);
    const changed = changedDefinition(flightDelay, { 'training.parameters.num_leaves': 15, 'evaluation.gates.0.minRows': 500 });
    expect(changed.training.parameters['num_leaves']).toBe(15);
    expect(changed.evaluation.gates[0]?.minRows).toBe(500);
    expect(definitionDigest(changed)).not.toBe(before);
    expect(definitionDigest(flightDelay)).toBe(before);
  });

  it('without changes is the same definition', () => {
    expect(definitionDigest(changedDefinition(flightDelay, {}))).toBe(definitionDigest(flightDelay));
  });

  it.each([
    'training.nowhere.deep',
    'nowhere.x',
    'evaluation.gates.99',
    'evaluation.gates.99.atLeast',
    'rollout.steps.length',
    'name.length',
    '__proto__',
    'constructor.prototype.x',
  ])('is refused for %s, a place that the definition does not have', (path) => {
    expect(() => changedDefinition(flightDelay, { [path]: 1 })).toThrow(
      expect.objectContaining({ code: 'definition/invalid', message: expect.stringContaining(path) }),
    );
  });

  it.each(['__proto__.polluted', 'training.__proto__.polluted', 'evaluation.gates.__proto__.polluted', 'constructor.prototype.polluted'])(
    'changes nothing outside of itself by %s',
    (path) => {
      try {
        expect(() => changedDefinition(flightDelay, { [path]: 'yes' })).toThrow(expect.objectContaining({ code: 'definition/invalid' }));
        expect(Reflect.get({}, 'polluted')).toBeUndefined();
        expect(Reflect.get([], 'polluted')).toBeUndefined();
      } finally {
        Reflect.deleteProperty(Object.prototype, 'polluted');
        Reflect.deleteProperty(Array.prototype, 'polluted');
      }
    },
  );

  it.each([
    ['training.seed', -1],
    ['training.algorithm', 'tea-leaves'],
    ['training.unknown', 1],
    ['evaluation.threshold', 2],
  ])('is refused for a value that does not fit at %s, which the message names', (path, value) => {
    expect(() => changedDefinition(flightDelay, { [path]: value })).toThrow(
      expect.objectContaining({ code: 'definition/invalid', message: expect.stringMatching(path.split('.')[1] ?? '') }),
    );
  });

  it('trains the same model', () => {
    expect(() => changedDefinition(flightDelay, { name: 'another' })).toThrow('name: a run cannot change which model it trains');
  });
});
