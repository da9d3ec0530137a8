import { userInfo } from 'node:os';
import { actorSchema, type Environment } from '../domain/names.js';
import { knownEnvironment } from '../domain/promotion/environments.js';
import { PerdureError, messageOf } from '../domain/errors.js';
import type { StackIdentity } from '../domain/stack-identity.js';
import { createApiClient, type ApiClient } from '../client/http/api-client.js';
import type { GatewayClient } from '../client/http/gateway-client.js';
import type { TemporalHandle } from '../client/connect.js';
import { loadPerdureConfig, type PerdureConfig } from '../perdure.config.js';
import type { Output } from './output.js';
import { addressesOf, stackOf, stackIdentityOf } from './addressed-stack.js';

/** What every command gets. Connections are made when they are first asked for. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  /** As the shell says it: what `up` starts. */
  config(): PerdureConfig;
  /**
   * The stack that commands are for: as the shell says it, and where that is silent, as the home's stack was started.
   */
  stack(): { config: PerdureConfig; stamp: StackIdentity | undefined };
  output: Output;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** What the process exits with when the command does not throw. */
  exitCode: number;
  api(): ApiClient;
  /** One that starts on demand is started. */
  gateway(environment: Environment): Promise<GatewayClient>;
  temporal(): Promise<TemporalHandle>;
  /** Who acts: `--as`, else PERDURE_ACTOR, else the user of this machine. */
  actor(as: string | undefined): string;
  close(): Promise<void>;
}

export function createContext({ env, output, signal }: Pick<CliContext, 'env' | 'output' | 'signal'>): CliContext {
  let config: PerdureConfig | undefined;
  let handle: Promise<TemporalHandle> | undefined;
  let stack: ReturnType<CliContext['stack']> | undefined;
  const context: CliContext = {
    env,
    output,
    signal,
    exitCode: 0,
    config: () => (config ??= readConfig(env)),
    stack: () => (stack ??= findStack(context.config(), env)),
    api: () => createApiClient(context.stack().config.apiUrl, context.stack().stamp),
    gateway: async (environment) => {
      const { createGatewayClient } = await import('../client/http/gateway-client.js');
      const { gateway, url } = knownEnvironment(context.stack().config.environments, environment);
      if (gateway === 'on-demand') {
        const { wakeGateway } = await import('./wake-gateway.js');
        const [api, actor] = [context.api(), context.actor(undefined)];
        await wakeGateway(environment, { api, actor, say: output.progress, signal });
      }
      return createGatewayClient(url, context.stack().stamp);
    },
    temporal: () => (handle ??= openTemporal(context.stack().config, env, context.api())),
    actor: (as) => {
      const named = actorSchema.safeParse(as ?? env.PERDURE_ACTOR ?? `${osUser()}@local`);
      if (named.success) return named.data;
      throw new PerdureError(
        'input/invalid',
        'The name of the actor must have 1 to 200 characters. Correct --as or PERDURE_ACTOR.',
      );
    },
    close: async () => {
      const open = await handle?.catch(() => undefined);
      await open?.close();
    },
  };
  return context;
}

function findStack(own: PerdureConfig, env: NodeJS.ProcessEnv): ReturnType<CliContext['stack']> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  return { config: readConfig({ ...addressesOf(stackOf(own)), ...given }), stamp: stackIdentityOf(own, env) };
}

function readConfig(env: NodeJS.ProcessEnv): PerdureConfig {
  try {
    return loadPerdureConfig(env);
  } catch (error) {
    throw new PerdureError('input/invalid', messageOf(error));
  }
}

/**
 * The Temporal of the stack that is asked: as its file says, else as its control API says. One that the shell names
 * must be the same server.
 */
async function openTemporal(config: PerdureConfig, env: NodeJS.ProcessEnv, api: ApiClient): Promise<TemporalHandle> {
  const [{ connectTemporal }, { loadTemporalConfig }, { temporalTargetOf }] = await Promise.all([
    import('../client/connect.js'),
    import('../temporal.config.js'),
    import('../client/temporal-target.js'),
  ]);
  const file = stackOf(config);
  if (file?.addresses.api === config.apiUrl) {
    const shell = file.addresses.embedded.temporal
      ? Object.entries(env).filter(([name]) => !name.startsWith('TEMPORAL_'))
      : Object.entries(env);
    return connectTemporal(loadTemporalConfig({ ...Object.fromEntries(shell), ...addressesOf(file) }));
  }
  const { temporal: theirs } = await api.stack();
  const { address, namespace } = theirs;
  const handle = await connectTemporal(
    loadTemporalConfig({
      ...env,
      TEMPORAL_ADDRESS: env.TEMPORAL_ADDRESS || address,
      TEMPORAL_NAMESPACE: env.TEMPORAL_NAMESPACE || namespace,
    }),
  );
  const ours = await temporalTargetOf(handle);
  if (ours.namespaceId === theirs.namespaceId) return handle;
  await handle.close();
  throw new PerdureError(
    'state/conflict',
    `The Temporal at ${ours.address} (namespace ${ours.namespace}) is not the one that the control API at ` +
      `${api.baseUrl} uses, ${address} (namespace ${namespace}). ` +
      'Correct or unset TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE.',
  );
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
