import { expect, test } from 'vitest';
import { contractSchema } from '../../../../domain/data/contract.js';
import { judgedTaskProblems } from '../../../../domain/rollout/judged-task.js';
import { rolloutPolicySchema } from '../../../../domain/rollout/rollout-policy.js';
import type { TaskName } from '../../../../domain/tasks/task.js';

const number = { type: 'number', min: -5, max: 20 };
const problems = (task: TaskName, metric: object, label: object | undefined, output?: object) =>
  judgedTaskProblems({
    task,
    contract: contractSchema.parse({
      ...{ entity: ['id'], eventTime: 'at', features: { x: { type: 'number' } } },
      ...(label && { label: { name: 'y', ...label } }),
      ...(output && { output }),
    }),
    rollout: rolloutPolicySchema.parse({
      strategy: 'canary',
      judge: { metrics: [{ metric: 'errorShare' }, metric] },
      steps: [{ sharePct: 100, minRequests: 1, minSeconds: 1, maxSeconds: 60 }],
    }),
  }).map(({ path, message }) => `${path} ${message}`);

const quality = (loss: string, more: object = {}) => ({ metric: 'quality', loss, margin: 0.1, harm: 0.5, ...more });
const outcome = (more: object = {}) => ({ metric: 'outcome', direction: 'higher-is-better', ...more });

test.each<[string, string[]]>([
  ['binary', problems('binary', quality('brier'), { type: 'boolean' })],
  ['binary, an outcome', problems('binary', outcome(), { type: 'boolean' })],
  ['multiclass', problems('multiclass', quality('logLoss'), { type: 'string' })],
  ['regression', problems('regression', quality('absoluteError', { max: 9 }), number)],
  ['a quantile', problems('regression', quality('pinball', { max: 9, quantile: 0.9 }), number, { intervalPct: 80 })],
  ['a mean', problems('regression', outcome({ min: 0, max: 20 }), number)],
  ['a value, without labels', problems('embedding', { metric: 'slowShare' }, undefined, { length: 3 })],
])('%s: what its task can be judged by is taken', (_, found) => {
  expect(found).toEqual([]);
});

test.each<[string[], RegExp]>([
  [
    problems('binary', quality('absoluteError', { max: 1 }), { type: 'boolean' }),
    /metrics\[1\]\.loss absoluteError is no loss of the task binary; it has error, brier, logLoss$/,
  ],
  [
    problems('regression', quality('brier'), number),
    /\.loss brier is no loss of the task regression; it has absoluteError, squaredError, pinball$/,
  ],
  [problems('ranking', quality('error'), { type: 'integer' }), /no loss of the task ranking; it has none, only value/],
  [problems('embedding', quality('error'), undefined, { length: 3 }), /no loss of the task embedding; it has none/],
  [problems('regression', quality('absoluteError'), number), /\.max is missing: .*contract\.label goes from -5 to 20$/],
  [problems('binary', quality('error', { max: 1 }), { type: 'boolean' }), /\.max error has bounds of its own/],
  [
    problems('regression', quality('pinball', { max: 9, quantile: 0.5 }), number, { quantiles: [0.1, 0.9] }),
    /\.quantile must be one of the quantiles of contract\.output: 0\.1, 0\.9$/,
  ],
  [problems('regression', quality('pinball', { max: 9 }), number), /\.quantile must be one .*there are none$/],
  [problems('regression', quality('squaredError', { max: 9, quantile: 0.5 }), number), /is for the loss pinball$/],
  [problems('multiclass', outcome(), { type: 'string' }), /\.metric labels of the task multiclass have no outcome/],
  [problems('ranking', outcome({ min: 0, max: 5 }), { type: 'integer' }), /labels of the task ranking have no outcome/],
  [problems('binary', outcome({ min: 0, max: 1 }), { type: 'boolean' }), /\.min is for labels that are numbers/],
  [problems('regression', outcome(), number), /\.min is missing: the bounds of the mean label; .* -5 to 20$/],
  [problems('regression', outcome({ min: 3, max: 3 }), number), /\.max must be greater than min \(3\)$/],
])('what its task cannot be judged by is refused, with its place and what there is: %#', (found, expected) => {
  expect(found).toEqual([expect.stringMatching(expected) as string]);
});
