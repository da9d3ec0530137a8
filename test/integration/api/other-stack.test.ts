import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createContext } from '../../../cli/context.js';
import { createOutput } from '../../../cli/output.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { runCommandLine } from '../../unit/cli/run-command-line.js';
import { startApi, type TestApi } from './start-api.js';

const folder = mkdtempSync(path.join(tmpdir(), 'perdure-two-'));
const home = (name: string) => path.join(folder, name);
let one: TestApi;
let port: string;

beforeAll(async () => {
  mkdirSync(home('one'));
  mkdirSync(home('two'));
  writeFileSync(path.join(home('one'), 'stack-id'), 'id-of-one\n');
  writeFileSync(path.join(home('two'), 'stack-id'), 'id-of-two\n');
  one = await startApi({ stack: { id: 'id-of-one', home: home('one') } });
  port = String((one.app.server.address() as AddressInfo).port);
});
afterAll(async () => {
  await one.close();
  rmSync(folder, { recursive: true });
});

it('a command from the home of another stack is refused by the control API at its address, and changes nothing', async () => {
  const mine = await runCommandLine(['routes', 'ls', '--json'], { PERDURE_API_PORT: port, PERDURE_HOME: home('one') });
  expect(mine.code, mine.stderr).toBe(0);
  for (const argv of [
    ['routes', 'ls'],
    ['apply', '--prune'],
    ['apply', '--plan'],
  ]) {
    const refused = await runCommandLine(argv, { PERDURE_API_PORT: port, PERDURE_HOME: home('two') });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(
      `belongs to the stack of ${home('one')}, but the request is for the stack of ${home('two')}`,
    );
  }
});

it('a request that names no stack is welcome, as is a command that names the other one on purpose', async () => {
  expect((await one.app.inject('/api/v1/routes')).statusCode).toBe(200);
  expect((await one.app.inject({ url: '/api/v1/routes', headers: { 'x-perdure-stack': 'another' } })).statusCode).toBe(
    409,
  );
  const named = { PERDURE_API_PORT: port, PERDURE_HOME: home('two'), PERDURE_STACK_ID: 'id-of-one' };
  expect((await runCommandLine(['routes', 'ls', '--json'], named)).code).toBe(0);
});

it("commands ask the Temporal of the control API that they ask, and refuse another server's", async () => {
  const temporal = loadTemporalConfig().connection.address;
  const contextOf = (env: NodeJS.ProcessEnv) =>
    createContext({
      env: { PERDURE_API_PORT: port, PERDURE_HOME: home('one'), ...env },
      output: createOutput(process, { json: true, env: {} }),
      signal: new AbortController().signal,
    });
  const asked = contextOf({});
  expect((await asked.temporal()).config.connection.address).toBe(temporal);
  await asked.close();

  // The same server under another name is the same server; another namespace is another place.
  const sameElsewhere = contextOf({ TEMPORAL_ADDRESS: temporal.replace('127.0.0.1', 'localhost') });
  await sameElsewhere.temporal();
  await sameElsewhere.close();
  await expect(contextOf({ TEMPORAL_NAMESPACE: 'temporal-system' }).temporal()).rejects.toMatchObject({
    code: 'state/conflict',
    message: expect.stringContaining(`is not the one that the control API at http://127.0.0.1:${port}`) as string,
  });
});
