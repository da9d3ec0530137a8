import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../../domain/errors.js';
import type { Environment } from '../../../domain/names.js';
import { gatewayVariables, type PerdureConfig } from '../../../perdure.config.js';
import type { ComponentSpec, ProcessView } from './component.js';

/** A worker that has not answered for so long is hung, not busy. */
const silentTooLongMs = 30_000;

export interface NodeComponentOptions {
  config: PerdureConfig;
  /** What every process of the stack gets: addresses and credentials. */
  env: NodeJS.ProcessEnv;
  /** The gateway's program, as `builtGateway` made it. */
  gatewayProgram: string;
  /** The private key with which the control API signs decisions. */
  signingKeyFile: string;
}

/** Control API, the two workers and a gateway for each environment; `stack.ts` says what starts when. */
export function nodeComponents(options: NodeComponentOptions): ComponentSpec[] {
  const { config } = options;
  const api = nodeComponent(options, {
    name: 'api',
    entry: 'api/main.ts',
    ports: [{ port: config.ports.api, variable: 'PERDURE_API_PORT', purpose: 'the control API' }],
    health: `${config.apiUrl}/api/v1/health`,
    address: config.apiUrl,
    env: { PERDURE_SIGNING_KEY_FILE: options.signingKeyFile },
  });
  const workers = (
    [
      ['worker-control', 'workflows,activities'],
      ['worker-training', 'data,training'],
    ] as const
  ).map(([name, queues]) =>
    nodeComponent(options, {
      name,
      entry: 'workers/main.ts',
      env: {
        PERDURE_WORKER_QUEUES: queues,
        PERDURE_WORKER_NAME: name,
        PERDURE_BUILT_PROGRAMS: path.dirname(options.gatewayProgram),
      },
    }),
  );
  const gateways = config.environments.map(({ name: environment, port, grpcPort, url, grpcAddress }) => {
    const home = path.join(config.home, `gateway-${environment}`);
    const variables = gatewayVariables(environment);
    return nodeComponent(options, {
      name: gatewayName(environment),
      entry: options.gatewayProgram,
      ports: [
        { port, variable: variables.port, purpose: `the ${environment} gateway` },
        { port: grpcPort, variable: variables.grpcPort, purpose: `gRPC of the ${environment} gateway` },
      ],
      health: `${url}/v2/health/live`,
      address: `${url}, gRPC ${grpcAddress}`,
      env: {
        PERDURE_GATEWAY_ENVIRONMENT: environment,
        PERDURE_GATEWAY_PORT: String(port),
        PERDURE_GATEWAY_GRPC_PORT: String(grpcPort),
        PERDURE_GATEWAY_HOME: home,
      },
      folder: home,
    });
  });
  return [api, ...workers, ...gateways];
}

export const gatewayName = (environment: Environment): string => `gateway-${environment}`;

interface NodeProcess {
  name: string;
  /** Path of the entry file, from the checkout: TypeScript, or JavaScript that was built. */
  entry: string;
  env: Record<string, string>;
  ports?: ComponentSpec['ports'];
  /** URL that answers 2xx when the process does its work; without one the process says so over IPC. */
  health?: string;
  folder?: string;
  /** For people. */
  address?: string;
}

function nodeComponent({ config, env }: NodeComponentOptions, node: NodeProcess): ComponentSpec {
  const entry = path.resolve(config.projectRoot, node.entry);
  return {
    name: node.name,
    kind: 'node',
    address: node.address,
    version: undefined,
    ports: node.ports ?? [],
    async prepare() {
      if (!existsSync(entry))
        throw new PerdureError(
          'environment/broken',
          `${entry} is missing. Restore the checkout, then stop the stack and start it again.`,
        );
      if (node.folder) mkdirSync(node.folder, { recursive: true });
    },
    command: () => ({
      file: process.execPath,
      args: entry.endsWith('.ts') ? ['--import', import.meta.resolve('tsx'), entry] : [entry],
      env: { ...env, ...node.env },
      cwd: config.projectRoot,
    }),
    check: (view) => (node.health ? checkHttp(node.health) : checkAnnounced(view)),
    stopSignal: 'SIGTERM',
    graceMs: 20_000,
    startTimeoutMs: 90_000,
  };
}

async function checkHttp(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  const body = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.slice(0, 200)}`);
}

async function checkAnnounced(view: ProcessView): Promise<void> {
  if (!view.announced) throw new Error('it has not reported ready');
  if (view.silentMs > silentTooLongMs) throw new Error(`it has been silent for ${Math.round(view.silentMs / 1000)} s`);
}
