import { expect, test } from 'vitest';
import { changedPaths } from '../../../../api/model/changed-paths.js';

test('names every path that differs, and only those', () => {
  const before = {
    training: { parameters: { num_leaves: 31, seed: 1 } },
    steps: [{ sharePct: 5 }, { sharePct: 100 }],
    owner: 'a',
  };
  const after = {
    training: { parameters: { num_leaves: 15, seed: 1, max_bin: 63 } },
    steps: [{ sharePct: 5 }, { sharePct: 25 }, { sharePct: 100 }],
    owner: 'a',
  };
  expect(changedPaths(before, after)).toEqual([
    'training.parameters.num_leaves',
    'training.parameters.max_bin',
    'steps[1].sharePct',
    'steps[2]',
  ]);
});

test('the order of keys is no difference, the order of a list is', () => {
  expect(changedPaths({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([]);
  expect(changedPaths({ slices: ['origin', 'carrier'] }, { slices: ['carrier', 'origin'] })).toEqual([
    'slices[0]',
    'slices[1]',
  ]);
});

test('what was taken away, and what changed its kind, is named', () => {
  expect(changedPaths({ a: 1 }, {})).toEqual(['a']);
  expect(changedPaths({ a: [1] }, { a: { 0: 1 } })).toEqual(['a']);
  expect(changedPaths(null, {})).toEqual(['(root)']);
});
