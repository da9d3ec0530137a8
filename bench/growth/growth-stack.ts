import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { migrateDatabase } from '../../db/migrate.js';
import { loadPerdureConfig } from '../../perdure.config.js';
import { startStack } from '../../infra/embedded/stack.js';
import { freePortVariables } from '../../infra/embedded/servers/native-servers.js';
import { readStackFile, type StackFile } from '../../infra/embedded/stack-file.js';

const run = promisify(execFile);

export interface GrowthStack {
  home: string;
  file: StackFile;
  /** Variables of a shell whose commands are for this stack. */
  env: NodeJS.ProcessEnv;
  /** Runs `perdure …`; the milliseconds that it took, the start of Node among them. */
  perdure(...argv: string[]): Promise<{ ms: number; stdout: string }>;
  stop(): Promise<void>;
}

/** What is there while nothing but the servers runs. */
export interface GrowthServers {
  url: string;
  ownerUrl: string;
  env: NodeJS.ProcessEnv;
}

/**
 * The whole stack in a home and on ports of its own, as `perdure up` starts it: servers, API, workers, a gateway of
 * each environment.
 * @param fill done before, while its servers alone run: a reconciler would close what has no workflow
 */
export async function startGrowthStack(
  projectRoot: string,
  home: string,
  fill: (servers: GrowthServers) => Promise<void>,
): Promise<GrowthStack> {
  await mkdir(home, { recursive: true });
  const own = Object.entries(process.env).filter(([name]) => !/^(PERDURE|TEMPORAL|AWS)_/.test(name));
  const ports = await freePortVariables();
  const env: NodeJS.ProcessEnv = { ...Object.fromEntries(own), ...ports, PERDURE_HOME: home, NO_COLOR: '1' };
  // What runs is no child of the terminal: a signal to this process does not reach it.
  let stop = async (): Promise<unknown> => undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  const servers = await startStack({ config: loadPerdureConfig(env), environment: env, parts: 'servers' });
  stop = () => servers.stop();
  try {
    const { databaseUrl: url, migrationDatabaseUrl: ownerUrl } = servers.addresses;
    await migrateDatabase(ownerUrl, url);
    await fill({ url, ownerUrl, env: { ...env, ...servers.env } });
  } finally {
    await servers.stop();
  }
  const command = path.join(projectRoot, 'cli', 'perdure.mjs');
  const perdure = async (...argv: string[]) => {
    const began = performance.now();
    const options = { cwd: projectRoot, env, maxBuffer: 64 * 1024 ** 2 };
    const { stdout } = await run(process.execPath, [command, ...argv], options);
    return { ms: performance.now() - began, stdout };
  };
  stop = () => perdure('down');
  await perdure('up', '--detach');
  const file = readStackFile(home);
  if (file === undefined) throw new Error(`the stack of ${home} started and left no stack.json`);
  return { home, file, env, perdure, stop: async () => void (await perdure('down')) };
}

/** What the start of Node alone takes, in milliseconds. */
export async function nodeStartMs(): Promise<number> {
  const began = performance.now();
  await run(process.execPath, ['-e', '0']);
  return performance.now() - began;
}
