import { expect, test } from 'vitest';
import { collectSet } from '../../../../cli/parse/set-option.js';

test('a value that is JSON is taken as such, anything else as a string', () => {
  expect(collectSet('training.parameters.num_leaves=15')).toEqual({ 'training.parameters.num_leaves': 15 });
  expect(collectSet('training.algorithm=xgboost')).toEqual({ 'training.algorithm': 'xgboost' });
  expect(collectSet('evaluation.slices=["origin"]')).toEqual({ 'evaluation.slices': ['origin'] });
  expect(collectSet('training.seed="7"')).toEqual({ 'training.seed': '7' });
});

test('several are collected, a value may hold an equals sign', () => {
  const first = collectSet('contract.label.from=arr_delay = 15');
  expect(collectSet('evaluation.gates[0].atLeast=0.9', first)).toEqual({
    'contract.label.from': 'arr_delay = 15',
    'evaluation.gates[0].atLeast': 0.9,
  });
});

test.each(['training', '=5', 'a b=5', 'a..b=5', '__proto__.x.=1'])('%j is refused', (text) => {
  expect(() => collectSet(text)).toThrow(/PATH=VALUE/);
});
