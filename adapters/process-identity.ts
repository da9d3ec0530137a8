import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export const processIdentitySchema = z.object({ pid: z.number().int().positive(), startedAtToken: z.string() });

/** A process that cannot be mistaken for another one: the kernel reuses a pid, never the pair of pid and start time. */
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** The identity of a process that lives now, or undefined when it does not live (a zombie does not). */
export function identify(pid: number): ProcessIdentity | undefined {
  const startedAtToken = process.platform === 'linux' ? linuxStartToken(pid) : psStartToken(pid);
  return startedAtToken === undefined ? undefined : { pid, startedAtToken };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAtToken === identity.startedAtToken;
}

function linuxStartToken(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces; the fields after it are plain.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const startTicks = fields[19];
    if (state === 'Z' || state === 'X' || startTicks === undefined) return undefined;
    return `${bootId()}:${startTicks}`;
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return cachedBootId;
}

function psStartToken(pid: number): string | undefined {
  try {
    const [state, ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
