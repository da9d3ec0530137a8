import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPerdureConfig } from '../../../perdure.config.js';
import { freePortVariables, startNativeServers } from '../../../infra/embedded/servers/native-servers.js';
import { canListen } from '../../../infra/embedded/processes/ports.js';
import { leftovers } from '../../../infra/embedded/processes/run-files.js';
import { startStack, type RunningStack } from '../../../infra/embedded/stack.js';
import { withoutOwnServers } from '../../setup/own-servers.js';
import { pollUntil } from '../../support/poll-until.js';

const noServers = { ...withoutOwnServers(process.env) };
for (const name of ['PERDURE_DATABASE_URL', 'PERDURE_S3_ENDPOINT', 'TEMPORAL_ADDRESS']) delete noServers[name];

describe('servers under the supervisor', () => {
  const home = mkdtempSync(path.join(tmpdir(), 'perdure-supervision-'));
  let stack: RunningStack;

  beforeAll(async () => {
    stack = await startNativeServers({ home, environment: noServers });
  });
  afterAll(async () => {
    await stack.stop();
    rmSync(home, { recursive: true, force: true });
  });

  const report = (name: string) => {
    const found = stack.components().find((component) => component.name === name);
    if (!found) throw new Error(`no component ${name}`);
    return found;
  };
  const killAndHeal = async (name: string) => {
    const { pid, restarts } = report(name);
    if (pid === undefined) throw new Error(`${name} has no process`);
    process.kill(pid, 'SIGKILL');
    return pollUntil(`${name} back`, 30_000, () => {
      const now = report(name);
      return now.state === 'running' && now.restarts === restarts + 1 && now.pid !== pid ? now : undefined;
    });
  };

  it('PostgreSQL killed with -9 comes back with the rows that were committed', async () => {
    const sql = postgres(stack.addresses.migrationDatabaseUrl, { max: 1, onnotice: () => undefined });
    await sql`create table kept (n int primary key)`;
    await sql`insert into kept select generate_series(1, 1000)`;
    await sql.end();
    await killAndHeal('postgres');
    const again = postgres(stack.addresses.migrationDatabaseUrl, { max: 1 });
    const [row] = await again<{ total: number }[]>`select sum(n)::int as total from kept`;
    await again.end();
    expect(row?.total).toBe(500_500);
  });

  it('the object store killed with -9 comes back, writable, with the objects that were acknowledged', async () => {
    const {
      PERDURE_S3_BUCKET: Bucket,
      AWS_ACCESS_KEY_ID: accessKeyId = '',
      AWS_SECRET_ACCESS_KEY: secretAccessKey = '',
    } = stack.env;
    const credentials = { accessKeyId, secretAccessKey };
    const s3 = new S3Client({
      endpoint: stack.addresses.s3Endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
    });
    const keys = Array.from({ length: 50 }, (_, index) => `kept/${index}`);
    for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}` }));
    await killAndHeal('s3');
    await s3.send(new PutObjectCommand({ Bucket, Key: 'after', Body: 'written after the restart' }));
    for (const Key of keys) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(await Body?.transformToString()).toBe(`body of ${Key}`);
    }
    s3.destroy();
  });

  it('Temporal killed with -9 comes back with the workflows that were started and the search attributes', async () => {
    const start = await Connection.connect({ address: stack.addresses.temporal });
    const options = { taskQueue: 'nobody', workflowId: 'kept', searchAttributes: { PerdureModel: ['flight-delay'] } };
    await new Client({ connection: start }).workflow.start('waits', options);
    await start.close();
    await killAndHeal('temporal');
    const connection = await Connection.connect({ address: stack.addresses.temporal });
    const client = new Client({ connection });
    expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    const found = await pollUntil('listed by search attribute', 10_000, async () => {
      const ids: string[] = [];
      for await (const info of client.workflow.list({ query: 'PerdureModel = "flight-delay"' }))
        ids.push(info.workflowId);
      return ids.length > 0 ? ids : undefined;
    });
    expect(found).toEqual(['kept']);
    await connection.close();
  });

  it('a second supervisor of the same home is refused and told whom to ask', async () => {
    await expect(startNativeServers({ home, environment: noServers })).rejects.toMatchObject({
      code: 'state/conflict',
      message: expect.stringContaining(`already supervised by process ${process.pid}`),
    });
  });

  it('keeps credentials from other users', () => {
    for (const file of ['secrets.json', 'stack.json']) expect(statSync(path.join(home, file)).mode & 0o077).toBe(0);
  });
});

describe('starting the servers', () => {
  const freshHome = async () => {
    const environment = {
      ...noServers,
      ...(await freePortVariables()),
      PERDURE_HOME: mkdtempSync(path.join(tmpdir(), 'perdure-start-')),
    };
    return { environment, config: loadPerdureConfig(environment) };
  };

  it('a busy port is an error that names the variable and the process, and leaves nothing running', async () => {
    const { environment, config } = await freshHome();
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(config.ports.postgres, '127.0.0.1', resolve));
    await expect(startStack({ config, environment, parts: 'servers' })).rejects.toThrow(
      new RegExp(
        `Port ${config.ports.postgres} \\(PostgreSQL\\) is taken by .+ \\(process ` +
          `${process.pid}\\).+PERDURE_POSTGRES_PORT`,
      ),
    );
    squatter.close();
    expect(leftovers(config.home)).toEqual([]);
    expect(existsSync(path.join(config.home, 'run', 'supervisor.json'))).toBe(false);
    rmSync(config.home, { recursive: true });
  });

  it('interrupted in the middle it stops what it had started, and the next start goes on', async () => {
    const { environment, config } = await freshHome();
    const interruption = new AbortController();
    const start = startStack({ config, environment, parts: 'servers', signal: interruption.signal });
    const refused = expect(start).rejects.toThrow('interrupted');
    await pollUntil('a server process', 10_000, () => (leftovers(config.home).length > 0 ? true : undefined));
    interruption.abort();
    await refused;
    expect(leftovers(config.home)).toEqual([]);
    const stack = await startStack({ config, environment, parts: 'servers' });
    expect(stack.components().map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    await stack.stop();
    for (const port of [config.ports.postgres, config.ports.temporal, config.ports.s3])
      expect(await canListen('127.0.0.1', port)).toBe(true);
    rmSync(config.home, { recursive: true });
  });
});
