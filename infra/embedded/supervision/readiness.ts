import { PerdureError, messageOf } from '../../../domain/errors.js';
import type { ComponentSpec } from '../processes/component.js';
import type { LaunchedProcess } from '../processes/launch.js';
import { fullDiskText } from '../doctor/disk-space.js';
import { sleep } from '../processes/sleep.js';

const checkEveryMs = 2_000;
const checkTimeoutMs = 5_000;
/** A machine whose cores are busy with training answers late: only a long silence counts as a hang. */
const unhealthyAfterMs = 30_000;

/** Asks again and again until the process works. @throws when it ends first, takes too long, or `signal` aborts. */
export async function untilReady(spec: ComponentSpec, launched: LaunchedProcess, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + spec.startTimeoutMs;
  let problem = 'it has not answered yet';
  while (Date.now() < deadline) {
    signal.throwIfAborted();
    if (!launched.alive()) throw new Error(`It ended with ${launched.exitReason()} while starting`);
    try {
      await withTimeout(spec.check(launched.view()), checkTimeoutMs);
      return;
    } catch (error) {
      if (error instanceof PerdureError && error.code === 'environment/broken') throw error; // Waiting would not help.
      problem = messageOf(error);
    }
    await sleep(100, signal);
  }
  throw new Error(`It was not ready within ${spec.startTimeoutMs / 1000} s: ${problem}`);
}

/** Resolves when the process has ended or has not worked for long; undefined when `signal` aborts first. */
export async function untilLost(
  home: string,
  spec: ComponentSpec,
  launched: LaunchedProcess,
  signal: AbortSignal,
): Promise<{ phase: 'died' | 'unhealthy'; reason: string } | undefined> {
  let illMs = 0;
  while (!signal.aborted) {
    const since = Date.now();
    await Promise.race([launched.exited, sleep(checkEveryMs, signal)]);
    if (signal.aborted) return undefined;
    if (!launched.alive())
      return { phase: 'died', reason: `It ended with ${launched.exitReason()}${fullDiskText(home)}` };
    launched.remember();
    try {
      await Promise.race([withTimeout(spec.check(launched.view()), checkTimeoutMs), launched.exited]);
      illMs = 0;
    } catch (error) {
      // Time in which the supervisor itself stood still, stopped or without a processor, says nothing of the component.
      illMs += Math.min(Date.now() - since, checkEveryMs + checkTimeoutMs);
      if (illMs > unhealthyAfterMs) return { phase: 'unhealthy', reason: `${messageOf(error)}${fullDiskText(home)}` };
    }
  }
  return undefined;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
  }
}
