import { rotateLogs } from './processes/logs.js';
import { trustText } from '../../domain/decision-trust.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { loadPerdureConfig, type PerdureConfig } from '../../perdure.config.js';
import { wantedGateways } from '../../adapters/wanted-gateways.js';
import { adoptable } from './processes/adoption.js';
import { builtGateway } from './processes/built-gateway.js';
import type { ComponentReport, ComponentSpec, OnProgress } from './processes/component.js';
import { loadDecisionKeys } from './decision-keys.js';
import { gatewayName, nodeComponents } from './processes/node-components.js';
import { loadTemporalConfig } from '../../temporal.config.js';
import { replayOpenWorkflows, stuckText, type ReplayPlace } from './replay-open-workflows.js';
import { assertPortsFree } from './processes/ports.js';
import { identify } from './processes/end-process.js';
import { endLeftovers, leftovers } from './processes/run-files.js';
import { loadSecrets } from './secrets.js';
import {
  keepTemporalProfile,
  stackAddresses,
  stackProcessEnvironment,
  stackVariables,
  type StackAddresses,
} from './stack-environment.js';
import { removeStackFile, writeStackFile } from './stack-file.js';
import { assertSameHome, loadStackId, readStackId } from './stack-id.js';
import { OnDemand } from './supervision/on-demand.js';
import { superviseComponent, type SupervisedComponent } from './supervision/supervise.js';
import { takeSupervisorLock, type SupervisorLock } from './supervision/supervisor-lock.js';
import { checkOwnServers, externalReports, serverComponents } from './servers/server-components.js';

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
const isGatewayName = (name: string) => name.startsWith('gateway-');
/** How often the files that tell of the running stack are put right. */
const keepEveryMs = 2_000;
/** How often it is asked which gateways are wanted: whoever asks for one waits for it. */
const lookEveryMs = 500;

/**
 * Starts and supervises the stack in this process; what an earlier supervisor has left running goes on where it is what
 * would be started now. Whatever dies comes back by itself until `stop`.
 * @throws PerdureError `state/conflict` when the home is supervised already, `environment/broken` when something cannot
 * start.
 */
export async function startStack(options: StackOptions = {}): Promise<RunningStack> {
  const config = options.config ?? loadPerdureConfig();
  const environment = options.environment ?? process.env;
  const onProgress = options.onProgress ?? (() => undefined);
  const signal = options.signal ?? new AbortController().signal;
  const lock = takeSupervisorLock(config.home);
  const started: SupervisedComponent[] = [];
  try {
    return await bringUp({
      config,
      environment,
      onProgress,
      signal,
      lock,
      started,
      parts: options.parts ?? 'everything',
    });
  } catch (error) {
    await stopAll(started, (component) => component.giveUp()); // What served before this start serves after it.
    removeStackFile(config.home);
    lock.release();
    if (signal.aborted)
      throw new PerdureError(
        'state/conflict',
        'The start was interrupted; what had started was stopped. Start again to continue.',
      );
    throw error;
  }
}

interface BringUp {
  config: PerdureConfig;
  environment: NodeJS.ProcessEnv;
  onProgress: OnProgress;
  signal: AbortSignal;
  lock: SupervisorLock;
  started: SupervisedComponent[];
  parts: 'everything' | 'servers';
}

async function bringUp({
  config,
  environment,
  onProgress,
  signal,
  lock,
  started,
  parts,
}: BringUp): Promise<RunningStack> {
  const stackId = loadStackId(config.home);
  const secrets = loadSecrets(config.home);
  const addresses = stackAddresses(config, secrets, environment);
  const keys = loadDecisionKeys(config);
  const env = stackVariables(config, { secrets, keys, stackId }, addresses);
  keepTemporalProfile(config.home);
  const processEnv = stackProcessEnvironment(environment, env, addresses.embedded.temporal);
  const startedAt = new Date().toISOString();
  const supervisor = identify(process.pid);
  let ready = false;

  const servers = (await serverComponents(config, secrets, addresses)).map((spec) => adoptable(spec, stackId));
  const nodes = parts === 'everything' ? await nodeSpecs(config, processEnv, keys.signing, stackId) : [];
  const external = externalReports(addresses);
  const supervised = (spec: ComponentSpec) =>
    superviseComponent(config.home, guarded(spec, config.home, stackId), onProgress, publish);
  const onDemand = new OnDemand({
    specs: nodes.filter((spec) => startsOnDemand(config, spec)).map((spec) => withPortsFree(spec, config.host)),
    isWanted: (name) => isWanted(config, name),
    supervise: supervised,
    ...{ started, signal, onProgress },
  });
  const report = () => [...external, ...started.map((component) => component.report()), ...onDemand.reports()];
  const publish = () => {
    try {
      if (supervisor && readStackId(config.home) === stackId)
        writeStackFile(config.home, { supervisor, startedAt, ready, addresses, env, components: report() });
    } catch {
      // A full disk: what it said before stays, and it is tried again.
    }
  };
  const always = nodes.filter((spec) => !startsOnDemand(config, spec));
  const wanted = nodes.filter(({ name }) => isWanted(config, name));
  await clearTheWay(config, [...servers, ...always, ...wanted], onProgress);
  signal.throwIfAborted();

  const startTier = async (specs: readonly ComponentSpec[]) => {
    const tier = specs.map(supervised);
    started.push(...tier);
    await startTogether(tier, signal);
  };
  await Promise.all([startTier(servers), checkOwnServers(config, addresses, environment)]);
  await migrate(addresses, onProgress);
  signal.throwIfAborted();
  // Workers take over only when it is known, and said, which open workflows their code cannot go on with.
  const isWorker = ({ name }: ComponentSpec) => name.startsWith('worker-');
  const temporal = addresses.embedded.temporal
    ? { address: addresses.temporal }
    : loadTemporalConfig(environment).connection;
  const replay = { projectRoot: config.projectRoot, env: processEnv, temporal, namespace: addresses.temporalNamespace };
  await Promise.all([
    startTier(always.filter((spec) => !isWorker(spec))),
    nodes.length > 0 ? tellOfReplay(replay, onProgress) : undefined,
  ]);
  await startTier(always.filter(isWorker));
  await onDemand.settled();
  signal.throwIfAborted();
  if (nodes.length > 0)
    onProgress({ component: 'decisions', phase: 'note', detail: trustText(config.decisions.trust) });
  ready = true;
  publish();
  const stop = hold({ config, stackId, lock, started, onDemand, publish });
  return { config, addresses, env, components: report, stop };
}

interface Held extends Pick<BringUp, 'config' | 'lock' | 'started'> {
  stackId: string;
  onDemand: OnDemand;
  publish: () => void;
}

/** Keeps the files of a running stack right, and starts what is asked for, until the function that it answers ends all. */
function hold({ config, stackId, lock, started, onDemand, publish }: Held): () => Promise<void> {
  const keeping = setInterval(() => {
    if (readStackId(config.home) !== stackId) return; // Removed on purpose or by mistake: nothing of it is made again.
    lock.keep();
    publish();
    keepTemporalProfile(config.home);
    rotateLogs(config.home);
  }, keepEveryMs).unref();
  const looking = setInterval(() => onDemand.keep(), lookEveryMs).unref();
  const end = async () => {
    await onDemand.end();
    await stopAll(started, (component) => component.stop());
    removeStackFile(config.home);
    lock.release();
  };
  let stopping: Promise<void> | undefined;
  return () => {
    clearInterval(keeping);
    clearInterval(looking);
    return (stopping ??= end());
  };
}

const startsOnDemand = ({ environments }: PerdureConfig, { name }: ComponentSpec): boolean =>
  environments.some((one) => one.gateway === 'on-demand' && gatewayName(one.name) === name);

const isWanted = ({ home }: PerdureConfig, name: string): boolean =>
  wantedGateways(home).map(gatewayName).includes(name);

async function nodeSpecs(
  config: PerdureConfig,
  env: NodeJS.ProcessEnv,
  signingKeyFile: string,
  stackId: string,
): Promise<ComponentSpec[]> {
  const gatewayProgram = await builtGateway(config.projectRoot);
  return nodeComponents({ config, env, signingKeyFile, gatewayProgram }).map((spec) =>
    isGatewayName(spec.name) ? adoptable(spec, stackId) : spec,
  );
}

/**
 * Each component takes over or replaces its own predecessor when its turn comes; whatever else an earlier supervisor
 * left ends now, and the ports of what does not run yet must be free.
 */
async function clearTheWay(
  { home, host }: PerdureConfig,
  specs: readonly ComponentSpec[],
  onProgress: OnProgress,
): Promise<void> {
  const wanted = new Set(specs.map((spec) => spec.name));
  const ended = await endLeftovers(home, isServerName, (name) => !wanted.has(name));
  const detail = `ended leftovers of an earlier supervisor: ${ended.join(', ')}`;
  if (ended.length > 0) onProgress({ component: 'stack', phase: 'note', detail });
  const running = new Set(leftovers(home).map((entry) => entry.name));
  const starting = specs.filter((spec) => !running.has(spec.name));
  await assertPortsFree(
    host,
    starting.flatMap((spec) => spec.ports),
  );
}

/** Starts components side by side. The first that fails ends the start of the others, and is what is thrown. */
async function startTogether(tier: readonly SupervisedComponent[], signal: AbortSignal): Promise<void> {
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
}

async function tellOfReplay(place: ReplayPlace, onProgress: OnProgress): Promise<void> {
  const detail = await replayOpenWorkflows(place).then(
    stuckText,
    (error: unknown) => `not replayed: ${messageOf(error)}`,
  );
  if (detail !== undefined) onProgress({ component: 'workflows', phase: 'note', detail });
}

async function migrate({ databaseUrl, migrationDatabaseUrl }: StackAddresses, onProgress: OnProgress): Promise<void> {
  const began = Date.now();
  onProgress({ component: 'migrations', phase: 'starting' });
  const { migrateDatabase } = await import('../../db/migrate.js');
  await migrateDatabase(migrationDatabaseUrl, databaseUrl);
  onProgress({ component: 'migrations', phase: 'ready', durationMs: Date.now() - began });
}

/** The processes that use the servers end first, then the servers. */
async function stopAll(
  started: readonly SupervisedComponent[],
  end: (component: SupervisedComponent) => Promise<void>,
): Promise<void> {
  for (const kind of ['node', 'server'] as const)
    await Promise.all(started.filter((component) => component.spec.kind === kind).map(end));
}

/** Ports of what starts later are looked at when it does: the error names the variable. */
const withPortsFree = (spec: ComponentSpec, host: string): ComponentSpec => ({
  ...spec,
  prepare: async () => {
    await assertPortsFree(host, spec.ports);
    await spec.prepare();
  },
});

/** A server is started anew only in the state that the stack was started with. */
const guarded = (spec: ComponentSpec, home: string, stackId: string): ComponentSpec => ({
  ...spec,
  prepare: () => {
    assertSameHome(home, stackId);
    return spec.prepare();
  },
});
