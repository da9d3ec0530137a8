import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { doctor } from '../../../infra/embedded/doctor/doctor.js';
import { down } from '../../../infra/embedded/supervision/down.js';
import { freePortVariables } from '../../../infra/embedded/servers/native-servers.js';
import { assertPortsFree } from '../../../infra/embedded/processes/ports.js';
import { leftovers } from '../../../infra/embedded/processes/run-files.js';
import { readStackFile } from '../../../infra/embedded/stack-file.js';
import { stackStatus } from '../../../infra/embedded/stack-status.js';
import { loadPerdureConfig, type PerdureConfig } from '../../../perdure.config.js';
import { withoutOwnServers } from '../../setup/own-servers.js';
import { pollUntil } from '../../support/poll-until.js';

const home = mkdtempSync(path.join(tmpdir(), 'perdure-killed-'));
const script = fileURLToPath(new URL('./servers-supervisor.ts', import.meta.url));
const servers = ['postgres', 's3', 'temporal'];
let environment: NodeJS.ProcessEnv;
let config: PerdureConfig;

beforeAll(async () => {
  environment = { ...withoutOwnServers(process.env), ...(await freePortVariables()), PERDURE_HOME: home };
  for (const name of ['PERDURE_DATABASE_URL', 'PERDURE_S3_ENDPOINT', 'TEMPORAL_ADDRESS']) delete environment[name];
  config = loadPerdureConfig(environment);
});
vi.setConfig({ testTimeout: 180_000 });
afterAll(async () => {
  await down(config);
  rmSync(home, { recursive: true, force: true });
});

async function start(): Promise<{ child: ChildProcess; said: unknown }> {
  const child = fork(script, {
    env: environment,
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [said] = await once(child, 'message');
  return { child, said };
}
async function startWell(): Promise<ChildProcess> {
  const { child, said } = await start();
  expect(said).toBe('ready');
  return child;
}
async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}
const pids = () => Object.fromEntries(leftovers(home).map(({ name, process: { pid } }) => [name, pid]));
const finding = async (name: string) => (await doctor(environment)).find((check) => check.name === name);

it('what a killed supervisor leaves serves on: the next start takes the same processes over, starts what died meanwhile, and down stops everything', async () => {
  const first = await startWell();
  const url = readStackFile(home)?.addresses.migrationDatabaseUrl ?? '';
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  await sql`create table kept (n int)`;
  await sql`insert into kept values (42)`;
  const before = pids();
  expect(Object.keys(before).toSorted()).toEqual(servers);
  await kill(first);
  expect((await stackStatus(config)).state).toBe('unsupervised');
  expect(await sql`select n from kept`).toEqual([{ n: 42 }]);
  process.kill(before['s3'] ?? 0, 'SIGKILL');

  // Two starts at once: one of them supervises, the other is told who does.
  const starts = await Promise.all([start(), start()]);
  const second = starts.find(({ said }) => said === 'ready')?.child;
  if (!second) throw new Error(`none of two started: ${starts.map(({ said }) => String(said)).join('; ')}`);
  expect(starts.map(({ said }) => said).filter((said) => said !== 'ready')).toEqual([
    expect.stringContaining(`process ${second.pid}`),
  ]);
  const after = pids();
  expect([after['postgres'], after['temporal']]).toEqual([before['postgres'], before['temporal']]);
  expect(after['s3']).not.toBe(before['s3']);
  const running = await stackStatus(config);
  expect(running.components.map(({ name, state }) => [name, state])).toEqual([
    ['postgres', 'running'],
    ['temporal', 'running'],
    ['s3', 'running'],
  ]);
  expect(await sql`select n from kept`).toEqual([{ n: 42 }]); // On the connection from before the kill.
  await sql.end();

  // One that was taken over is watched like one's own.
  process.kill(after['postgres'] ?? 0, 'SIGKILL');
  await pollUntil('PostgreSQL is back', 60_000, async () => {
    const found = (await stackStatus(config)).components.find(({ name }) => name === 'postgres');
    return (found?.state === 'running' && found.pid !== after['postgres']) || undefined;
  });

  const exited = once(second, 'exit');
  expect(await down(config)).toEqual({ supervisorPid: second.pid, leftovers: [] });
  expect((await exited)[0]).toBe(0);
  expect((await stackStatus(config)).state).toBe('down');
  expect(leftovers(home)).toEqual([]);
});

it('a supervisor whose files are removed while it runs is found by doctor, status, a second start and down', async () => {
  const supervisor = await startWell();
  rmSync(home, { recursive: true, force: true });
  expect((await stackStatus(config)).components.map(({ name }) => name).toSorted()).toEqual(servers);
  expect((await finding('supervisor'))?.finding).toMatch(
    new RegExp(`process ${supervisor.pid}, but its files .+ postgres \\(process \\d+\\)`),
  );
  expect((await start()).said).toContain(`already supervised by process ${supervisor.pid}`);
  const exited = once(supervisor, 'exit');
  expect(await down(config)).toMatchObject({ supervisorPid: supervisor.pid });
  await exited;
  expect(leftovers(home)).toEqual([]);
});

it('processes whose supervisor and files are both gone are named, whose ports they hold too, and the next start replaces them', async () => {
  await kill(await startWell());
  const before = pids();
  rmSync(home, { recursive: true, force: true });
  expect(pids()['temporal']).toBe(before['temporal']);
  expect((await finding('supervisor'))?.finding).toContain(`temporal (process ${before['temporal']})`);
  const claim = { port: config.ports.temporal, variable: 'PERDURE_TEMPORAL_PORT', purpose: 'Temporal' };
  await expect(assertPortsFree(config.host, [claim])).rejects.toThrow(`of the stack in ${home}`);
  await kill(await startWell());
  for (const [name, pid] of Object.entries(pids()))
    expect(pid, `${name} belongs to a state that is gone`).not.toBe(before[name]);
  expect((await down(config)).leftovers.toSorted()).toEqual(servers);
  expect(leftovers(home)).toEqual([]);
});
