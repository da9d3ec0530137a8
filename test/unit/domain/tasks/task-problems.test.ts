import { expect, test } from 'vitest';
import { contractSchema } from '../../../../domain/data/contract.js';
import { taskProblems } from '../../../../domain/tasks/task-problems.js';
import type { TaskName } from '../../../../domain/tasks/task.js';

const base = { entity: ['user', 'item'], eventTime: 'at', features: { age: { type: 'number' } } };
const problems = (task: TaskName | undefined, contract: Record<string, unknown>) =>
  taskProblems({ task, contract: contractSchema.parse({ ...base, ...contract }) }).map(
    ({ path, message }) => `${path}: ${message}`,
  );

test('a contract that fits its task has no problem', () => {
  const label = { name: 'y' };
  expect(problems(undefined, { label: { ...label, type: 'boolean' } })).toEqual([]);
  expect(problems('multiclass', { label: { ...label, type: 'string', classes: ['a', 'b', 'c'] } })).toEqual([]);
  expect(problems('regression', { label: { ...label, type: 'number' }, output: { quantiles: [0.1, 0.9] } })).toEqual(
    [],
  );
  expect(problems('ranking', { label: { ...label, type: 'integer' }, group: 'user' })).toEqual([]);
  expect(problems('embedding', { output: { length: 8 } })).toEqual([]);
});

test('each part of a contract that its task cannot have is named with what to write instead', () => {
  expect(problems('regression', { label: { name: 'y', type: 'boolean' } })).toEqual([
    'contract.label.type: is boolean; the task regression needs number',
  ]);
  expect(problems(undefined, {})).toEqual([
    'contract.label: is missing: the task binary needs one of the type boolean',
  ]);
  expect(problems('embedding', { label: { name: 'y', type: 'number' }, output: { length: 8 } })).toEqual([
    'contract.label: a model of the task embedding has no label: leave it out',
  ]);
  expect(problems('embedding', {})).toEqual(['contract.output.length: must say how many numbers an embedding has']);
  expect(problems('ranking', { label: { name: 'y', type: 'integer' }, group: 'query' })).toEqual([
    'contract.group: must be the column of contract.entity (user, item) whose rows are ranked together',
  ]);
  const regression = { label: { name: 'y', type: 'number' } };
  expect(problems('regression', { ...regression, output: { quantiles: [0.9, 0.1] } })).toEqual([
    'contract.output.quantiles[1]: must be greater than the one before it',
  ]);
  expect(problems('regression', { ...regression, group: 'user' })).toEqual([
    'contract.group: is for the task ranking; this one is regression',
  ]);
  expect(problems('regression', { ...regression, output: { length: 3 } })).toEqual([
    'contract.output.length: is for the task embedding; this one is regression',
  ]);
});

test('names of outputs are taken for the own task only', () => {
  const features = { value: { type: 'number' }, label: { type: 'number' } };
  expect(problems('regression', { label: { name: 'y', type: 'number' }, features })).toEqual([
    'contract.features.value: is the name of an output of the model: give the feature another',
  ]);
  expect(problems(undefined, { label: { name: 'y', type: 'boolean' }, features })).toEqual([
    'contract.features.label: is the name of an output of the model: give the feature another',
  ]);
});
