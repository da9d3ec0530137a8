import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { trustText } from '../../domain/decision-proof.js';
import { PerdureError } from '../../domain/errors.js';
import { loadPerdureConfig, type PerdureConfig } from '../../perdure.config.js';
import { builtGateway } from './built-gateway.js';
import type { ComponentReport, ComponentSpec, OnProgress } from './component.js';
import { checkOwnDatabase, checkOwnObjectStore, checkOwnTemporal } from './external-servers.js';
import { loadDecisionKeys } from './decision-keys.js';
import { nodeComponents } from './node-components.js';
import { objectStoreComponent } from './object-store.js';
import { assertPortsFree } from './ports.js';
import { postgresComponent } from './postgres.js';
import { identify } from './process-identity.js';
import { endLeftovers } from './run-files.js';
import { loadSecrets, type StackSecrets } from './secrets.js';
import {
  stackAddresses,
  stackProcessEnvironment,
  stackVariables,
  writeEmptyTemporalProfile,
  type StackAddresses,
} from './stack-environment.js';
import { removeStackFile, writeStackFile } from './stack-file.js';
import { superviseComponent, type SupervisedComponent } from './supervise.js';
import { takeSupervisorLock } from './supervisor-lock.js';
import { temporalComponent } from './temporal.js';

export interface StackOptions {
  config?: PerdureConfig;
  /** Where TEMPORAL_… and everything passed on to the processes is read from. */
  environment?: NodeJS.ProcessEnv;
  onProgress?: OnProgress;
  /** Ends a start that is under way: what already runs is stopped in order, then `startStack` rejects. */
  signal?: AbortSignal;
  /** `servers` starts only PostgreSQL, Temporal and S3. */
  parts?: 'everything' | 'servers';
}

export interface RunningStack {
  config: PerdureConfig;
  addresses: StackAddresses;
  /** The variables with which another process, or this one, joins the stack. */
  env: Record<string, string>;
  components(): ComponentReport[];
  /** Gateways, workers and API first, then the servers; repeatable. */
  stop(): Promise<void>;
}

const serverNames: ReadonlySet<string> = new Set(['postgres', 'temporal', 's3']);
export const isServerName = (name: string) => serverNames.has(name);

/**
 * Starts and supervises the stack in this process. Whatever dies comes back by itself until `stop`.
 * @throws PerdureError `state/conflict` when the home is supervised already, `environment/broken` when something cannot start.
 */
export async function startStack(options: StackOptions = {}): Promise<RunningStack> {
  const config = options.config ?? loadPerdureConfig();
  const environment = options.environment ?? process.env;
  const onProgress = options.onProgress ?? (() => undefined);
  const signal = options.signal ?? new AbortController().signal;
  const releaseLock = takeSupervisorLock(config.home);
  const started: SupervisedComponent[] = [];
  try {
    const ended = await endLeftovers(config.home, isServerName);
    if (ended.length > 0)
      onProgress({ component: 'stack', phase: 'note', detail: `ended what an earlier supervisor had left: ${ended.join(', ')}` });
    signal.throwIfAborted();
    return await bringUp({ config, environment, onProgress, signal, releaseLock, started, parts: options.parts ?? 'everything' });
  } catch (error) {
    await stopAll(started);
    removeStackFile(config.home);
    releaseLock();
    if (signal.aborted)
      throw new PerdureError('state/conflict', 'The start was interrupted; what had started is stopped. Start again to go on.');
    throw error;
  }
}

interface BringUp {
  config: PerdureConfig;
  environment: NodeJS.ProcessEnv;
  onProgress: OnProgress;
  signal: AbortSignal;
  releaseLock: () => void;
  started: SupervisedComponent[];
  parts: 'everything' | 'servers';
}

async function bringUp({ config, environment, onProgress, signal, releaseLock, started, parts }: BringUp): Promise<RunningStack> {
  mkdirSync(path.join(config.home, 'run'), { recursive: true });
  const secrets = loadSecrets(config.home);
  const addresses = stackAddresses(config, secrets, environment);
  const keys = loadDecisionKeys(config);
  const env = stackVariables(config, { secrets, keys }, addresses);
  writeEmptyTemporalProfile(config.home);
  const processEnv = stackProcessEnvironment(environment, env, addresses.embedded.temporal);
  const startedAt = new Date().toISOString();
  const supervisor = identify(process.pid);
  let ready = false;

  const servers = serverComponents(config, secrets, addresses);
  const nodes =
    parts === 'everything'
      ? nodeComponents({ config, env: processEnv, signingKeyFile: keys.signing, gatewayProgram: await builtGateway(config.projectRoot) })
      : [];
  const external = externalReports(addresses);
  const report = () => [...external, ...started.map((component) => component.report())];
  const publish = () => {
    if (supervisor) writeStackFile(config.home, { supervisor, startedAt, ready, addresses, env, components: report() });
  };
  await assertPortsFree(
    config.host,
    [...servers, ...nodes].flatMap((spec) => spec.ports),
  );

  const startTier = async (specs: readonly ComponentSpec[]) => {
    const tier = specs.map((spec) => superviseComponent(config.home, spec, onProgress, publish));
    started.push(...tier);
    const failure = new AbortController();
    const either = AbortSignal.any([signal, failure.signal]);
    const results = await Promise.allSettled(
      tier.map((component) =>
        component.start(either).catch((error: unknown) => {
          if (!failure.signal.aborted) failure.abort(error);
          throw error;
        }),
      ),
    );
    signal.throwIfAborted();
    if (results.some((result) => result.status === 'rejected')) throw failure.signal.reason;
  };

  await Promise.all([startTier(servers), checkOwnServers(config, addresses, environment)]);
  await migrate(addresses.databaseUrl, onProgress);
  signal.throwIfAborted();
  await startTier(nodes);
  if (nodes.length > 0) onProgress({ component: 'decisions', phase: 'note', detail: trustText(config.decisions.trust) });
  ready = true;
  publish();

  let stopping: Promise<void> | undefined;
  return {
    config,
    addresses,
    env,
    components: report,
    stop() {
      stopping ??= stopAll(started).then(() => {
        removeStackFile(config.home);
        releaseLock();
      });
      return stopping;
    },
  };
}

function serverComponents(config: PerdureConfig, secrets: StackSecrets, addresses: StackAddresses): ComponentSpec[] {
  const { projectRoot, home, host, ports } = config;
  const specs: ComponentSpec[] = [];
  if (addresses.embedded.postgres) specs.push(postgresComponent({ home, host, port: ports.postgres, password: secrets.postgresPassword }));
  if (addresses.embedded.temporal) {
    const namespace = addresses.temporalNamespace;
    specs.push(temporalComponent({ projectRoot, home, host, port: ports.temporal, uiPort: ports.temporalUi, namespace }));
  }
  if (addresses.embedded.s3) {
    const { bucket, region } = config.s3;
    const keys = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
    specs.push(objectStoreComponent({ projectRoot, home, host, port: ports.s3, bucket, region, ...keys }));
  }
  return specs;
}

async function checkOwnServers(config: PerdureConfig, addresses: StackAddresses, environment: NodeJS.ProcessEnv): Promise<void> {
  await Promise.all([
    addresses.embedded.postgres ? undefined : checkOwnDatabase(addresses.databaseUrl),
    addresses.embedded.temporal ? undefined : checkOwnTemporal(environment),
    addresses.embedded.s3 ? undefined : checkOwnObjectStore({ ...config.s3, endpoint: addresses.s3Endpoint }),
  ]);
}

function externalReports(addresses: StackAddresses): ComponentReport[] {
  const own = [
    ['postgres', addresses.embedded.postgres, new URL(addresses.databaseUrl).host],
    ['temporal', addresses.embedded.temporal, addresses.temporal],
    ['s3', addresses.embedded.s3, addresses.s3Endpoint],
  ] as const;
  return own
    .filter(([, embedded]) => !embedded)
    .map(([name, , address]) => ({
      name,
      state: 'external',
      pid: undefined,
      address,
      version: undefined,
      logFile: undefined,
      startedAt: undefined,
      restarts: 0,
      lastError: undefined,
    }));
}

async function migrate(databaseUrl: string, onProgress: OnProgress): Promise<void> {
  const began = Date.now();
  onProgress({ component: 'migrations', phase: 'starting' });
  const { migrateDatabase } = await import('../../db/migrate.js');
  await migrateDatabase(databaseUrl);
  onProgress({ component: 'migrations', phase: 'ready', durationMs: Date.now() - began });
}

/** The processes that use the servers end first, then the servers. */
async function stopAll(started: readonly SupervisedComponent[]): Promise<void> {
  for (const kind of ['node', 'server'] as const) {
    await Promise.all(started.filter((component) => component.spec.kind === kind).map((component) => component.stop()));
  }
}
