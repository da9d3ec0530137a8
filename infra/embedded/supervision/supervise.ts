import { PerdureError } from '../../../domain/errors.js';
import type { ComponentReport, ComponentSpec, ComponentState, OnProgress } from '../processes/component.js';
import { adopt, launch, type LaunchedProcess } from '../processes/launch.js';
import { fullDiskText } from '../doctor/disk-space.js';
import { logPath, logTail } from '../processes/logs.js';
import { sleep } from '../processes/sleep.js';
import { endProcess } from '../processes/process-identity.js';
import { leftovers } from '../processes/run-files.js';

const checkEveryMs = 2_000;
const checkTimeoutMs = 5_000;
/** A machine whose cores are busy with training answers late: only a long silence counts as a hang. */
const unhealthyAfterMs = 30_000;
const restartDelaysMs = [100, 300, 1_000, 2_000, 5_000, 10_000] as const;
/** A process that lived this long starts its restart delays anew. */
const steadyAfterMs = 60_000;
const firstStartAttempts = 3;
/** A running process of an earlier supervisor that does not work by then is started anew. */
const adoptTimeoutMs = 15_000;

export interface SupervisedComponent {
  spec: ComponentSpec;
  /** @throws PerdureError `environment/broken` with the end of the log, when it cannot be brought up. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  /** As `stop`, but a process that was running before this supervisor came runs on. */
  giveUp(): Promise<void>;
  report(): ComponentReport;
}

/**
 * Keeps one process alive: adopts or starts it, checks it, starts it again whenever it dies or hangs, until it is
 * stopped.
 */
export function superviseComponent(
  home: string,
  spec: ComponentSpec,
  tell: OnProgress,
  tellChange: () => void,
): SupervisedComponent {
  // Who listens may fail, as on a full disk: the watch goes on.
  const onProgress: OnProgress = (progress) => quietly(() => tell(progress));
  const onChange = () => quietly(tellChange);
  let state: ComponentState = 'stopped';
  let current: LaunchedProcess | undefined;
  let startedAt: string | undefined;
  let restarts = 0;
  let lastError: string | undefined;
  let watching: Promise<void> = Promise.resolve();
  let adopted: LaunchedProcess | undefined;
  const stopping = new AbortController();

  const setState = (next: ComponentState) => {
    state = next;
    onChange();
  };

  async function bringUp(signal: AbortSignal): Promise<LaunchedProcess> {
    await spec.prepare();
    const launched = launch(home, spec);
    current = launched;
    try {
      await untilReady(spec, launched, signal);
    } catch (error) {
      await launched.end();
      throw error;
    }
    startedAt = new Date().toISOString();
    lastError = undefined;
    return launched;
  }

  /**
   * The process of an earlier supervisor, when it is what would be started now and works. What is something else, as
   * after a change of the program or of a setting, ends here, just before its successor starts.
   */
  async function takeOver(signal: AbortSignal): Promise<LaunchedProcess | undefined> {
    for (const entry of leftovers(home).filter((one) => one.name === spec.name)) {
      if (adopted === undefined && spec.adoptAs !== undefined && entry.adoptAs === spec.adoptAs) {
        const running = adopt(home, entry);
        try {
          await untilReady({ ...spec, startTimeoutMs: adoptTimeoutMs }, running, signal);
          startedAt = new Date().toISOString();
          current = adopted = running;
          continue;
        } catch {
          running.release();
          signal.throwIfAborted();
        }
      }
      await endProcess(entry.process, entry.stopSignal, entry.graceMs);
    }
    return adopted;
  }

  /** Restarts until it works or is stopped. */
  async function bringBack(): Promise<LaunchedProcess | undefined> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      await sleep(restartDelaysMs[Math.min(attempt, restartDelaysMs.length - 1)] ?? 10_000, stopping.signal);
      if (stopping.signal.aborted) return undefined;
      const began = Date.now();
      try {
        const launched = await bringUp(stopping.signal);
        restarts += 1;
        setState('running');
        onProgress({ component: spec.name, phase: 'restarted', durationMs: Date.now() - began });
        return launched;
      } catch (error) {
        lastError = `${messageOf(error)}${fullDiskText(home)}`;
        setState('failed');
      }
    }
    return undefined;
  }

  async function watch(first: LaunchedProcess): Promise<void> {
    let launched: LaunchedProcess | undefined = first;
    while (launched && !stopping.signal.aborted) {
      const since = Date.now();
      const ended = await untilLost(home, spec, launched, stopping.signal);
      if (stopping.signal.aborted || ended === undefined) return;
      lastError = ended.reason;
      setState('restarting');
      onProgress({ component: spec.name, phase: ended.phase, detail: ended.reason });
      await launched.end();
      if (Date.now() - since < steadyAfterMs && restarts > 0) await sleep(restartDelaysMs[1], stopping.signal);
      launched = await bringBack();
    }
  }

  return {
    spec,
    async start(signal) {
      setState('starting');
      onProgress({ component: spec.name, phase: 'starting' });
      const began = Date.now();
      const either = AbortSignal.any([signal, stopping.signal]);
      const found = await takeOver(either);
      if (found) {
        setState('running');
        onProgress({
          component: spec.name,
          phase: 'adopted',
          detail: `process ${found.pid}`,
          durationMs: Date.now() - began,
        });
        watching = watch(found);
        return;
      }
      for (let attempt = 1; ; attempt += 1) {
        try {
          const launched = await bringUp(either);
          setState('running');
          onProgress({ component: spec.name, phase: 'ready', durationMs: Date.now() - began });
          watching = watch(launched);
          return;
        } catch (error) {
          lastError = messageOf(error);
          setState('failed');
          either.throwIfAborted();
          if (error instanceof PerdureError || attempt === firstStartAttempts) throw startFailure(home, spec, error);
          await sleep(restartDelaysMs[attempt] ?? 1_000, either);
        }
      }
    },
    async giveUp() {
      if (adopted === undefined || current !== adopted) return this.stop();
      stopping.abort();
      adopted.release();
      await watching;
    },
    async stop() {
      const wasUp = current !== undefined;
      stopping.abort();
      if (wasUp) {
        setState('stopping');
        onProgress({ component: spec.name, phase: 'stopping' });
      }
      const began = Date.now();
      await watching;
      await current?.end();
      setState('stopped');
      if (wasUp) onProgress({ component: spec.name, phase: 'stopped', durationMs: Date.now() - began });
    },
    report: () => ({
      name: spec.name,
      state,
      pid: current?.alive() ? current.pid : undefined,
      address: spec.address,
      version: spec.version,
      logFile: logPath(home, spec.name),
      startedAt: state === 'running' ? startedAt : undefined,
      restarts,
      lastError,
    }),
  };
}

/** Asks again and again until the process works. @throws when it ends first, takes too long, or `signal` aborts. */
async function untilReady(spec: ComponentSpec, launched: LaunchedProcess, signal: AbortSignal): Promise<void> {
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
async function untilLost(
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

function startFailure(home: string, spec: ComponentSpec, cause: unknown): PerdureError {
  if (cause instanceof PerdureError) return cause;
  const tail = logTail(home, spec.name);
  return new PerdureError(
    'environment/broken',
    `${spec.name} did not start. ${messageOf(cause)}. Its log: ` +
      `${logPath(home, spec.name)}${tail ? `, which ends with:\n${indent(tail)}` : ' (empty)'}`,
    { component: spec.name },
  );
}

function quietly(work: () => void): void {
  try {
    work();
  } catch {
    // Nobody is told; what is told next may arrive.
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
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
