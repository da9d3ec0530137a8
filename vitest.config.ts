import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Groups run one after another; the files of one group run side by side, `workers` at a time. */
const project = (name: string, groupOrder: number, workers: number, more: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node' as const,
    sequence: { groupOrder },
    maxWorkers: workers,
    fileParallelism: workers > 1,
    ...more,
  },
});

/**
 * Much of a test is waiting, so that two files at once pay on two cores. More than four would outgrow the servers that
 * each worker has.
 */
const sideBySide = Math.min(Math.max(availableParallelism(), 2), 4);
const patient = { testTimeout: 60_000, hookTimeout: 120_000 };
const drill = { testTimeout: 600_000, hookTimeout: 300_000, setupFiles: ['./test/setup/forget-own-servers.ts'] };
const withServers = {
  ...patient,
  globalSetup: ['./test/setup/native-servers.ts'],
  setupFiles: ['./test/setup/join-servers.ts'],
};

/** These measure time, memory or processes, or fill the machine: nothing else runs beside them. */
const alone = [
  'test/integration/data/engine.test.ts',
  'test/integration/data/flights.test.ts',
  'test/integration/infra/killed-supervisor.test.ts',
  'test/integration/infra/supervision.test.ts',
  'test/integration/serving/overload.test.ts',
  'test/integration/trainers/process.test.ts',
];

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/summary-reporter.ts'],
    // Servers are stopped in order, which a busy machine may take its time for.
    teardownTimeout: 120_000,
    projects: [
      project('unit', 0, sideBySide, { testTimeout: 10_000 }),
      // The server that skips time loses a workflow task that cancels an activity just as the activity ends (its answer
      // is ACTIVITY_UNKNOWN, and it gives the task to nobody again); Temporal's own server does not. Hence another try.
      project('workflow', 1, sideBySide, { ...patient, maxConcurrency: 6, retry: 2 }),
      project('replay', 2, 1, patient),
      project('integration', 3, sideBySide, { ...withServers, exclude: alone }),
      project('alone', 4, 1, { ...withServers, include: alone }),
      project('e2e', 5, 1, drill),
      project('drills', 6, 1, { ...drill, include: ['test/drills/**/*.test.ts', 'test/faults/**/*.test.ts'] }),
    ],
  },
});
