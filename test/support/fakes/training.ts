import type { SnapshotActivities } from '../../../activities/data/snapshot.js';
import type { EvaluationActivities } from '../../../activities/evaluation/evaluation.js';
import type { RunGateActivities } from '../../../activities/evaluation/run-gates.js';
import type { RegistryActivities } from '../../../activities/model/registry.js';
import type { RunActivities } from '../../../activities/training/runs.js';
import type { TrainingActivities } from '../../../activities/training/training.js';
import type { WorldFacts } from './world-facts.js';

type FakedActivities = RunActivities &
  SnapshotActivities &
  TrainingActivities &
  EvaluationActivities &
  RunGateActivities &
  RegistryActivities;

/** A training run, from its snapshot to the registration of version 2. */
export function fakeTraining(world: WorldFacts): FakedActivities {
  return {
    openRun: async () => void (world.opened += 1),
    closeRun: async ({ outcome, reason, watermark }) => void world.runEnds.push({ outcome, reason, watermark }),
    takeSnapshot: async () => world.snapshot,
    train: async () => {
      world.trained += 1;
      return { artifactSha256: 'b'.repeat(64), environmentSha256: 'e'.repeat(64), summary: 'trained' };
    },
    trainFold: async ({ fold }) => {
      world.foldsTrained.push(fold);
      return { fold, artifactSha256: String(fold).repeat(64), summary: `fold ${fold}` };
    },
    evaluateRun: async ({ folds = [] }) => {
      world.foldsEvaluated = folds.map(({ artifactSha256 }) => artifactSha256);
      return { evaluationKey: 'evaluation', summary: 'evaluated' };
    },
    decideRunGates: async () => ({ verdict: world.gateVerdict, summary: `gates: ${world.gateVerdict}` }),
    registerRun: async ({ watermark }) => {
      world.registrations += 1;
      world.watermarks.push(watermark);
      return { version: 2, promote: world.promote, promoteReason: 'not in this test' };
    },
  };
}
