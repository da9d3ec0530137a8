import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, it } from 'vitest';
import { removeStaleSockets } from '../../../../../infra/embedded/processes/stale-sockets.js';

const socketOf = (port: number) => `/tmp/seaweedfs-unit-test-${process.pid}-${port}.sock`;

afterEach(() => {
  for (const port of [65001, 65002]) rmSync(socketOf(port), { force: true });
});

it('removes what a killed object store left for these ports, and nothing of other ports', () => {
  for (const port of [65001, 65002]) writeFileSync(socketOf(port), '');
  removeStaleSockets([65001]);
  expect([existsSync(socketOf(65001)), existsSync(socketOf(65002))]).toEqual([false, true]);
});
