import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { builtGateway } from '../infra/embedded/processes/built-gateway.js';
import { freePortVariables } from '../infra/embedded/servers/native-servers.js';
import type { BenchServers } from './servers.js';

export interface BenchGateway {
  port: number;
  grpcPort: number;
  url: string;
  processId: number;
  stop: () => Promise<void>;
}

const startMs = 60_000;

/**
 * The gateway as it runs in production: built, in a process of its own, with PostgreSQL, S3, prediction log, windows
 * and metrics.
 */
export async function startGateway(
  projectRoot: string,
  home: string,
  { databaseUrl, store }: BenchServers,
  nodeArguments: readonly string[] = [],
): Promise<BenchGateway> {
  await mkdir(home, { recursive: true });
  const port = Number((await freePortVariables())['PERDURE_GATEWAY_PRODUCTION_PORT']);
  const child = spawn(process.execPath, [...nodeArguments, await builtGateway(projectRoot)], {
    cwd: projectRoot,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      TZ: 'UTC',
      NODE_ENV: 'production',
      PERDURE_GATEWAY_ENVIRONMENT: 'production',
      PERDURE_GATEWAY_PORT: String(port),
      PERDURE_GATEWAY_GRPC_PORT: String(port + 1),
      PERDURE_GATEWAY_HOME: home,
      PERDURE_DATABASE_URL: databaseUrl,
      PERDURE_S3_ENDPOINT: store.endpoint,
      PERDURE_S3_BUCKET: store.bucket,
      PERDURE_S3_REGION: store.region,
      AWS_ACCESS_KEY_ID: store.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      PERDURE_KEY_HASH_SECRET: 'one for the bench only',
      PERDURE_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const exited = new Promise<string>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`)),
  );
  const url = `http://127.0.0.1:${port}`;
  const until = performance.now() + startMs;
  for (;;) {
    const ready = await fetch(`${url}/v2/models/flight-delay/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) break;
    if (child.exitCode !== null) throw new Error(`the gateway ended: ${await exited}`);
    if (performance.now() > until) {
      child.kill('SIGKILL');
      throw new Error(`the gateway did not serve within ${startMs / 1000} s`);
    }
    await delay(50);
  }
  return {
    port,
    grpcPort: port + 1,
    url,
    processId: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await exited;
      clearTimeout(force);
    },
  };
}
