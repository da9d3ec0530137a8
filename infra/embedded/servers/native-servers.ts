import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ENVIRONMENTS, gatewayVariables, loadPerdureConfig } from '../../../perdure.config.js';
import type { OnProgress } from '../processes/component.js';
import { objectStorePorts } from './object-store.js';
import { findFreePorts } from '../processes/ports.js';
import { startStack, type RunningStack } from '../stack.js';

export interface NativeServersOptions {
  /** A fresh temporary folder unless given; only a fresh one is removed by `stop`. */
  home?: string;
  environment?: NodeJS.ProcessEnv;
  onProgress?: OnProgress;
}

/**
 * PostgreSQL, Temporal and S3 on free ports, for tests. `env` also holds free ports for the Node processes that a test
 * may start.
 */
export async function startNativeServers(options: NativeServersOptions = {}): Promise<RunningStack> {
  const home = options.home ?? mkdtempSync(path.join(tmpdir(), 'perdure-test-'));
  const environment = { ...(options.environment ?? process.env), ...(await freePortVariables()), PERDURE_HOME: home };
  const stack = await startStack({
    config: loadPerdureConfig(environment),
    environment,
    parts: 'servers',
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
  });
  return {
    ...stack,
    async stop() {
      await stack.stop();
      if (!options.home) rmSync(home, { recursive: true, force: true });
    },
  };
}

/** PERDURE_…_PORT variables for a whole stack beside whatever else runs on this machine. */
export async function freePortVariables(host = '127.0.0.1'): Promise<Record<string, string>> {
  const objectStoreParts = Object.values(objectStorePorts).filter((offset) => offset < objectStorePorts.grpc).length;
  const s3 = await findFreePorts(host, objectStoreParts, [0, objectStorePorts.grpc]);
  const servers = ['POSTGRES', 'TEMPORAL', 'TEMPORAL_UI', 'API'].map((name) => [`PERDURE_${name}_PORT`, undefined]);
  const gateways = ENVIRONMENTS.map(({ name }) => Object.values(gatewayVariables(name)));
  const taken = new Set(Array.from({ length: objectStoreParts }, (_, index) => s3 + index));
  const variables: Record<string, string> = { PERDURE_S3_PORT: String(s3) };
  for (const [rest, grpc] of [...servers, ...gateways]) {
    let port: number;
    // A gateway's gRPC port is the one after its REST port.
    do port = await findFreePorts(host, 2);
    while (taken.has(port) || taken.has(port + 1));
    taken.add(port).add(port + 1);
    if (rest) variables[rest] = String(port);
    if (grpc) variables[grpc] = String(port + 1);
  }
  return variables;
}
