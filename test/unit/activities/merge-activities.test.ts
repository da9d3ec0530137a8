import { expect, it } from 'vitest';
import { mergeActivities } from '../../../activities/merge-activities.js';

it('two activities of one name are refused at the start of a worker, naming both factories', () => {
  const factories = {
    runs: { openRun: async () => 1 },
    snapshots: { takeSnapshot: async () => 2, openRun: async () => 3 },
  };
  expect(() => mergeActivities(factories)).toThrow(/the name openRun: one of runs, one of snapshots/);
});

it('activities of several factories are one set', async () => {
  const merged = mergeActivities({
    runs: { openRun: async () => 1 },
    snapshots: { takeSnapshot: async () => 'taken' },
  });
  expect([await merged.openRun(), await merged.takeSnapshot()]).toEqual([1, 'taken']);
});
