import { expect, test } from 'vitest';
import { outputSignature, quantilesOf, taskOf, withClasses } from '../../../../domain/tasks/task-of.js';
import { contractSchema } from '../../../../domain/data/contract.js';
import { taskNames } from '../../../../domain/tasks/task.js';

const contract = (label: unknown, output?: unknown) =>
  contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    features: { age: { type: 'number' } },
    ...{ label, output },
  });

test('a definition that names no task is binary', () => {
  expect(taskOf({}).name).toBe('binary');
});

test('an interval is its two outer quantiles', () => {
  expect(quantilesOf({ output: { intervalPct: 80 } })).toEqual([0.1, 0.9]);
  expect(quantilesOf({ output: { quantiles: [0.25, 0.5] } })).toEqual([0.25, 0.5]);
  expect(quantilesOf({})).toEqual([]);
});

test('scores of the graph are as wide as the FP32 outputs that are sent', () => {
  const signature = { classes: ['a', 'b', 'c'], quantiles: [0.1, 0.9], length: 4 };
  for (const task of taskNames.map((name) => taskOf({ task: name }))) {
    const sent = task.outputs(signature).filter(({ datatype }) => datatype === 'FP32');
    const width = (sum: number, one: { width: number | null }) => sum + (one.width ?? 1);
    const binaryOrSignature = task.name === 'binary' ? 2 : task.graphOutputs(signature).reduce(width, 0);
    expect(sent.reduce(width, 0), task.name).toBe(binaryOrSignature);
  }
});

test('classes are those that the contract lists, else those that were trained on', () => {
  expect(outputSignature(contract({ name: 'y', type: 'boolean' })).classes).toEqual([0, 1]);
  expect(outputSignature(contract({ name: 'y', type: 'string', classes: ['b', 'a'] }), ['x']).classes).toEqual([
    'b',
    'a',
  ]);
  expect(outputSignature(contract({ name: 'y', type: 'integer' }), [1, 2, 3]).classes).toEqual([1, 2, 3]);
});

test('a version answers by the classes that it was trained on, where its contract lists none', () => {
  const open = contract({ name: 'y', type: 'string' });
  expect(withClasses(open, ['a', 'b']).label).toMatchObject({ classes: ['a', 'b'] });
  expect(withClasses(contract({ name: 'y', type: 'integer' }), [1, 2]).label).toMatchObject({ classes: [1, 2] });
  expect(withClasses(open)).toBe(open);
  const listed = contract({ name: 'y', type: 'string', classes: ['b', 'a'] });
  expect(withClasses(listed, ['a'])).toBe(listed);
});
