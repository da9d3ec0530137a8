import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, expect, it } from 'vitest';
import { down } from '../../../infra/embedded/down.js';
import { freePortVariables } from '../../../infra/embedded/native-servers.js';
import { leftovers } from '../../../infra/embedded/run-files.js';
import { readStackFile } from '../../../infra/embedded/stack-file.js';
import { stackStatus } from '../../../infra/embedded/stack-status.js';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { withoutOwnServers } from '../../setup/own-servers.js';

const home = mkdtempSync(path.join(tmpdir(), 'perdure-killed-'));
const script = fileURLToPath(new URL('./servers-supervisor.ts', import.meta.url));
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function startSupervisor(environment: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = fork(script, { env: environment, execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [message] = await once(child, 'message');
  expect(message).toBe('ready');
  return child;
}

it('after kill -9 of the supervisor the next start ends what was left and serves the same data; down stops everything', async () => {
  const environment: NodeJS.ProcessEnv = { ...withoutOwnServers(process.env), ...(await freePortVariables()), PERDURE_HOME: home };
  for (const name of ['PERDURE_DATABASE_URL', 'PERDURE_S3_ENDPOINT', 'TEMPORAL_ADDRESS']) delete environment[name];
  const config = loadPerdureConfig(environment);

  const first = await startSupervisor(environment);
  const url = readStackFile(home)?.addresses.databaseUrl ?? '';
  const before = postgres(url, { max: 1, onnotice: () => undefined });
  await before`create table kept (n int)`;
  await before`insert into kept values (42)`;
  await before.end();
  const pidsBefore = leftovers(home).map((entry) => entry.process.pid);
  first.kill('SIGKILL');
  await once(first, 'exit');
  expect((await stackStatus(config)).state).toBe('unsupervised');

  const second = await startSupervisor(environment);
  const running = await stackStatus(config);
  expect(running.state).toBe('running');
  expect(running.components.map(({ name, state }) => [name, state])).toEqual([
    ['postgres', 'running'],
    ['temporal', 'running'],
    ['s3', 'running'],
  ]);
  for (const component of running.components) expect(pidsBefore).not.toContain(component.pid);
  const after = postgres(url, { max: 1 });
  expect(await after`select n from kept`).toEqual([{ n: 42 }]);
  await after.end();

  const exited = once(second, 'exit');
  expect(await down(config)).toEqual({ supervisorPid: second.pid, leftovers: [] });
  expect((await exited)[0]).toBe(0);
  expect((await stackStatus(config)).state).toBe('down');
  expect(leftovers(home)).toEqual([]);
});
