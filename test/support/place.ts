import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePortVariables } from '../../infra/embedded/servers/native-servers.js';
import { loadPerdureConfig, type PerdureConfig } from '../../perdure.config.js';
import { withoutOwnServers } from '../setup/own-servers.js';

export interface Place {
  home: string;
  /** What a shell would have in which a person set other ports and another home. */
  env: NodeJS.ProcessEnv;
  config: PerdureConfig;
  remove(): void;
}

/** A home of one's own and free ports, so that a test's stack stands beside whatever else runs on this machine. */
export async function createPlace(name: string): Promise<Place> {
  const home = mkdtempSync(path.join(tmpdir(), `perdure-e2e-${name}-`));
  const shell = Object.entries(withoutOwnServers(process.env)).filter(
    ([variable]) => !/^(VITEST|NODE_ENV|NODE_OPTIONS|TEST$|DEV$|PROD$|MODE$)/.test(variable),
  );
  const env = { ...Object.fromEntries(shell), ...(await freePortVariables()), PERDURE_HOME: home, NO_COLOR: '1' };
  return { home, env, config: loadPerdureConfig(env), remove: () => rmSync(home, { recursive: true, force: true }) };
}

/**
 * Every process of this machine that names the home in its arguments or its environment, one line each: what a stack
 * has left running.
 */
export function processesOf(home: string): string[] {
  if (!existsSync('/proc/self/environ')) {
    const all = execFileSync('ps', ['-A', '-E', '-ww', '-o', 'pid=,command='], { encoding: 'utf8' }).split('\n');
    return all.filter((line) => line.includes(home)).map((line) => line.slice(0, 200));
  }
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  return pids.flatMap((pid) => {
    const [args, environment] = [readProc(pid, 'cmdline'), readProc(pid, 'environ')];
    return args.includes(home) || environment.includes(home)
      ? [`${pid} ${args.replaceAll('\0', ' ').slice(0, 200)}`]
      : [];
  });
}

/** Empty for a process that has ended meanwhile or is somebody else's. */
function readProc(pid: string, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
