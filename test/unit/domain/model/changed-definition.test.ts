import { describe, expect, it } from 'vitest';
import { changedDefinition } from '../../../../domain/model/changed-definition.js';
import { definitionDigest, readDefinition } from '../../../../domain/model/model-definition.js';
import { trainRequestSchema } from '../../../../domain/workflow-inputs.js';
import flightDelay from '../../../../models/flight-delay/model.js';

const refused = (path: string) =>
  expect.objectContaining({ code: 'definition/invalid', message: expect.stringContaining(path) });

/** Places that a run may not change: they judge it, promise callers something, or are no places at all. */
const notForARun: [path: string, value: unknown][] = [
  ['promotion', {}],
  ['promotion.approvals.count', 0],
  ['promotion.approvals', { count: 0 }],
  ['rollout', { strategy: 'direct', reason: 'mine' }],
  ['rollout.judge.alpha', 0.5],
  ['rollout.steps.length', 0],
  ['evaluation.gates', [{ name: 'mine', metric: 'rocAuc', atLeast: 0 }]],
  ['evaluation.gates.0.minRows', 1],
  ['evaluation.threshold', 0.1],
  ['monitoring.retentionDays', 1],
  ['triggers', { schedules: [] }],
  ['contract.features.origin', { type: 'string' }],
  ['data', {}],
  ['data.tables', {}],
  ['data.expectations.volumeRatioMin', 0],
  ['data.windows', {}],
  ['data.window.from.length', 1],
  ['data.window.__proto__', {}],
  ['name', 'another'],
  ['name.length', 1],
  ['schemaVersion', 1],
  ['training', { seed: 1 }],
  ['training', { seed: 1, program: './mine' }],
  ['training.program', './mine'],
  ['training.unknown', 1],
  ['training.Seed', 1],
  ['Training.seed', 1],
  ['training.seed.deep', 1],
  ['training.parameters.a.b', 1],
  ['training.parameters.', 1],
  ['training.parameters.__proto__', 1],
  ['training.parameters.constructor', 1],
  ['training.', 1],
  ['training..seed', 1],
  ['.training.seed', 1],
  ['training.seed.', 1],
  [' training.seed', 1],
  ['', 1],
  ['.', 1],
  ['training[seed]', 1],
  ['__proto__', { training: {} }],
  ['__proto__.polluted', 'yes'],
  ['training.__proto__.polluted', 'yes'],
  ['constructor.prototype.polluted', 'yes'],
];

describe('a definition changed for one run', () => {
  it('has the new value, a new digest, and leaves the one it came from as it was', () => {
    const before = definitionDigest(flightDelay);
    const changed = changedDefinition(flightDelay, {
      'training.parameters': { max_leaves: 15 },
      'training.algorithm': 'xgboost',
      'data.window.from': '2013-02',
    });
    expect(changed.training).toMatchObject({ algorithm: 'xgboost', parameters: { max_leaves: 15 } });
    expect(changed.data.window).toEqual({ kind: 'expanding', from: '2013-02' });
    expect(definitionDigest(changed)).not.toBe(before);
    expect(definitionDigest(flightDelay)).toBe(before);
  });

  it('without changes is the same definition', () => {
    expect(definitionDigest(changedDefinition(flightDelay, {}))).toBe(definitionDigest(flightDelay));
  });

  it.each([
    ['training.parameters', { num_leaves: 7 }],
    ['training.seed', 7],
    ['training.threads', 1],
    ['training.timeoutMinutes', 5],
    ['training.memoryMb', 1024],
    ['data.window', { kind: 'sliding', from: '2013-01', months: 3 }],
  ])('may change %s', (path, value) => {
    expect(definitionDigest(changedDefinition(flightDelay, { [path]: value }))).not.toBe(definitionDigest(flightDelay));
    expect(trainRequestSchema.safeParse({ model: 'flight-delay', set: { [path]: value } }).success).toBe(true);
  });

  it.each(notForARun)(
    'is refused at %j, by the request and by the definition, with the path and what may be set',
    (path, value) => {
      const set: Record<string, unknown> = JSON.parse(`{${JSON.stringify(path)}: ${JSON.stringify(value)}}`);
      try {
        expect(() => changedDefinition(flightDelay, set)).toThrow(refused(path));
        expect(() => changedDefinition(flightDelay, set)).toThrow('data.window');
        const request = trainRequestSchema.safeParse({ model: 'flight-delay', set });
        expect(request.error?.issues).toEqual([
          expect.objectContaining({ path: ['set', path], message: expect.stringContaining('training.parameters') }),
        ]);
        expect(Reflect.get({}, 'polluted')).toBeUndefined();
      } finally {
        Reflect.deleteProperty(Object.prototype, 'polluted');
      }
    },
  );

  it.each([
    ['training.seed', -1],
    ['training.algorithm', 'tea-leaves'],
    ['training.parameters', [1]],
    ['data.window', { kind: 'expanding', from: '2013-01', holdoutPartitions: 3 }],
    ['data.window.months', 3],
  ])('is refused for a value that does not fit at %s, which the message names', (path, value) => {
    expect(() => changedDefinition(flightDelay, { [path]: value })).toThrow(
      refused(path.split('.').slice(0, 2).join('.')),
    );
  });

  it('is not refused for what the applied definition has that newer checks would refuse', () => {
    const features = { ...flightDelay.contract.features, toString: { type: 'number' } };
    const stored = readDefinition({ ...flightDelay, contract: { ...flightDelay.contract, features } });
    expect(changedDefinition(stored, { 'training.seed': 7 }).training.seed).toBe(7);
  });
});
