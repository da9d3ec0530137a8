import { isAlive, type ProcessIdentity } from '../../../adapters/process-identity.js';

export { identify, isAlive, processIdentitySchema, type ProcessIdentity } from '../../../adapters/process-identity.js';

/** Sends a signal only if the process is still the one that was meant. Answers whether it was sent. */
export function signalProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  target: 'process' | 'group' = 'process',
): boolean {
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

/**
 * Asks a process to end, and ends its whole group when it has not within `graceMs`. Only for processes that lead a
 * group of their own.
 */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<'graceful' | 'killed'> {
  signalProcess(identity, signal);
  signalProcess(identity, 'SIGCONT'); // One that was stopped hears the signal only when it goes on.
  if (await waitForExit(identity, graceMs)) return 'graceful';
  signalProcess(identity, 'SIGKILL', 'group');
  signalProcess(identity, 'SIGKILL');
  await waitForExit(identity, 5_000);
  return 'killed';
}
