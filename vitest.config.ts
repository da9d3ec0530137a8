import { defineConfig } from 'vitest/config';

/**
 * Groups of projects run one after another, so that suites which measure or kill processes do not share the cores with
 * the others.
 */
const project = (name: string, groupOrder: number, more: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    environment: 'node' as const,
    sequence: { groupOrder },
    ...more,
  },
});

const serial = { fileParallelism: false };

export default defineConfig({
  test: {
    reporters: ['default', './test/setup/summary-reporter.ts'],
    projects: [
      project('unit', 0, { testTimeout: 10_000 }),
      project('workflow', 1, { ...serial, maxConcurrency: 6, testTimeout: 60_000, hookTimeout: 120_000 }),
      project('replay', 2, { ...serial, testTimeout: 60_000, hookTimeout: 120_000 }),
      project('integration', 3, {
        ...serial,
        testTimeout: 60_000,
        hookTimeout: 120_000,
        globalSetup: ['./test/setup/native-servers.ts'],
        setupFiles: ['./test/setup/join-servers.ts'],
      }),
      project('e2e', 4, {
        ...serial,
        testTimeout: 600_000,
        hookTimeout: 300_000,
        setupFiles: ['./test/setup/forget-own-servers.ts'],
      }),
      project('faults', 5, {
        ...serial,
        testTimeout: 600_000,
        hookTimeout: 300_000,
        setupFiles: ['./test/setup/forget-own-servers.ts'],
      }),
    ],
  },
});
