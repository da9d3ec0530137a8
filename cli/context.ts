import { userInfo } from 'node:os';
import { actorSchema } from '../domain/names.js';
import { PerdureError } from '../domain/errors.js';
import { createApiClient, type ApiClient } from '../client/http/api-client.js';
import type { TemporalHandle } from '../client/connect.js';
import { loadPerdureConfig, type PerdureConfig } from '../perdure.config.js';
import type { Output } from './output.js';

/** What every command gets. Connections are made when they are first asked for. */
export interface CliContext {
  env: NodeJS.ProcessEnv;
  config(): PerdureConfig;
  output: Output;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  /** What the process exits with when the command does not throw. */
  exitCode: number;
  api(): ApiClient;
  temporal(): Promise<TemporalHandle>;
  /** Who acts: `--as`, else PERDURE_ACTOR, else the user of this machine. */
  actor(as: string | undefined): string;
  close(): Promise<void>;
}

export function createContext({ env, output, signal }: Pick<CliContext, 'env' | 'output' | 'signal'>): CliContext {
  let config: PerdureConfig | undefined;
  let handle: Promise<TemporalHandle> | undefined;
  const context: CliContext = {
    env,
    output,
    signal,
    exitCode: 0,
    config: () => (config ??= readConfig(env)),
    api: () => createApiClient(context.config().apiUrl),
    temporal: () => (handle ??= openTemporal(context.config(), env)),
    actor: (as) => {
      const named = actorSchema.safeParse(as ?? env.PERDURE_ACTOR ?? `${osUser()}@local`);
      if (named.success) return named.data;
      throw new PerdureError('input/invalid', 'The name of the actor must have 1 to 200 characters. Correct --as or PERDURE_ACTOR.');
    },
    close: async () => {
      const open = await handle?.catch(() => undefined);
      await open?.close();
    },
  };
  return context;
}

function readConfig(env: NodeJS.ProcessEnv): PerdureConfig {
  try {
    return loadPerdureConfig(env);
  } catch (error) {
    throw new PerdureError('input/invalid', error instanceof Error ? error.message : String(error));
  }
}

/** The Temporal of the environment's own variables, else the one of the running stack, which may stand on other ports. */
async function openTemporal(config: PerdureConfig, env: NodeJS.ProcessEnv): Promise<TemporalHandle> {
  const [{ connectTemporal }, { loadTemporalConfig }, { readStackFile }] = await Promise.all([
    import('../client/connect.js'),
    import('../temporal.config.js'),
    import('../infra/embedded/stack-file.js'),
  ]);
  if (!env.TEMPORAL_ADDRESS) {
    const stack = Object.entries(readStackFile(config.home)?.env ?? {}).filter(([name]) => name.startsWith('TEMPORAL_'));
    return connectTemporal(loadTemporalConfig({ ...env, ...Object.fromEntries(stack) }));
  }
  return connectTemporal(loadTemporalConfig(env));
}

function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}
