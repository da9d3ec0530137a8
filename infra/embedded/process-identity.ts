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

/** Sends a signal only if the process is still the one that was meant. Answers whether it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals, target: 'process' | 'group' = 'process'): boolean {
  if (target === 'process' && !isAlive(identity)) return false;
  try {
    process.kill(target === 'group' ? -identity.pid : identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the process is gone. Answers false when it still lives after `timeoutMs`. */
export async function waitForExit(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return true;
}

/** Asks a process to end, and ends its whole group when it has not within `graceMs`. Only for processes that lead a group of their own. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<'graceful' | 'killed'> {
  signalProcess(identity, signal);
  signalProcess(identity, 'SIGCONT'); // One that was stopped hears the signal only when it goes on.
  if (await waitForExit(identity, graceMs)) return 'graceful';
  signalProcess(identity, 'SIGKILL', 'group');
  signalProcess(identity, 'SIGKILL');
  await waitForExit(identity, 5_000);
  return 'killed';
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
    const [state, ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}
