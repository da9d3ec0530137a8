import { expect, test } from 'vitest';
import { contractSchema } from '../../../../domain/data/contract.js';
import { labelReader } from '../../../../domain/serving/received-label.js';
import type { TaskName } from '../../../../domain/tasks/task.js';

const contractOf = (label?: object) =>
  contractSchema.parse({
    ...{ entity: ['id'], eventTime: 'at', features: { x: { type: 'number' } } },
    ...(label !== undefined && { label: { name: 'y', ...label } }),
  });
const reader = (task: TaskName, label?: object, classes?: (string | number)[]) =>
  labelReader({ task, contract: contractOf(label) }, classes);

test.each<[string, ReturnType<typeof reader>, unknown, object]>([
  ['yes or no', reader('binary', { type: 'boolean' }), 1, { column: 'label', value: true }],
  ['yes or no', reader('binary', { type: 'boolean' }), false, { column: 'label', value: false }],
  [
    'a class by its name',
    reader('multiclass', { type: 'string', classes: ['a', 'b'] }),
    'b',
    { column: 'label_class', value: 'b' },
  ],
  [
    'a class that the version was trained on',
    reader('multiclass', { type: 'string' }, ['x', 'y']),
    'y',
    { column: 'label_class', value: 'y' },
  ],
  [
    'a class that is a number',
    reader('multiclass', { type: 'integer', classes: [3, -7] }),
    -7,
    { column: 'label_class', value: '-7' },
  ],
  [
    'a number in range',
    reader('regression', { type: 'number', min: 0, max: 10 }),
    10,
    { column: 'label_number', value: 10 },
  ],
  ['any number', reader('regression', { type: 'number' }), -1e9, { column: 'label_number', value: -1e9 }],
  ['a grade', reader('ranking', { type: 'integer' }), 4, { column: 'label_number', value: 4 }],
  ['a relevance of yes', reader('ranking', { type: 'boolean' }), true, { column: 'label_number', value: 1 }],
])('%s is taken', (_, read, value, expected) => {
  expect(read(value)).toEqual(expected);
});

test.each<[ReturnType<typeof reader>, unknown, RegExp]>([
  [reader('binary', { type: 'boolean' }), 2, /must be true, false, 0 or 1/],
  [reader('binary', { type: 'boolean' }), 'true', /must be true, false, 0 or 1/],
  [reader('multiclass', { type: 'string', classes: ['a', 'b'] }), 'c', /none of the classes: "a", "b"/],
  [reader('multiclass', { type: 'string', classes: ['1', '2'] }), 1, /none of the classes: "1", "2"/],
  [reader('multiclass', { type: 'integer', classes: [1, 2] }), '1', /none of the classes: 1, 2/],
  [reader('multiclass', { type: 'string' }, ['x']), 'toString', /none of the classes: "x"/],
  [reader('regression', { type: 'number', min: 0 }), -0.001, /^must be a finite number, not below 0$/],
  [reader('regression', { type: 'number' }), '5', /must be a finite number/],
  [reader('regression', { type: 'number' }), null, /must be a finite number/],
  [reader('regression', { type: 'number' }), true, /must be a finite number/],
  [reader('ranking', { type: 'integer' }), 1.5, /must be a whole number/],
  [reader('embedding'), 1, /a model of the task embedding has no label/],
])('what is no label of the model is refused in words: %#', (read, value, problem) => {
  expect(read(value)).toEqual({ problem: expect.stringMatching(problem) as string });
});
