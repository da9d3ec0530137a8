import { PerdureError } from '../../domain/errors.js';
import type { ComponentReport, ComponentSpec, ComponentState, OnProgress } from './component.js';
import { launch, type LaunchedProcess } from './launch.js';
import { logPath, logTail } from './logs.js';

const checkEveryMs = 2_000;
const checkTimeoutMs = 5_000;
/** A machine whose cores are busy with training answers late: only a long silence counts as a hang. */
const unhealthyAfterMs = 30_000;
const restartDelaysMs = [100, 300, 1_000, 2_000, 5_000, 10_000] as const;
/** A process that lived this long starts its restart delays anew. */
const steadyAfterMs = 60_000;
const firstStartAttempts = 3;

export interface SupervisedComponent {
  spec: ComponentSpec;
  /** @throws PerdureError `environment/broken` with the end of the log, when it cannot be brought up. */
  start(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
  report(): ComponentReport;
}

/** Keeps one process alive: starts it, checks it, starts it again whenever it dies or hangs, until it is stopped. */
export function superviseComponent(home: string, spec: ComponentSpec, onProgress: OnProgress, onChange: () => void): SupervisedComponent {
  let state: ComponentState = 'stopped';
  let current: LaunchedProcess | undefined;
  let startedAt: string | undefined;
  let restarts = 0;
  let lastError: string | undefined;
  let watching: Promise<void> = Promise.resolve();
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

  /** Restarts until it works or is stopped. */
  async function bringBack(): Promise<LaunchedProcess | undefined> {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      await pause(restartDelaysMs[Math.min(attempt, restartDelaysMs.length - 1)] ?? 10_000, stopping.signal);
      if (stopping.signal.aborted) return undefined;
      const began = Date.now();
      try {
        const launched = await bringUp(stopping.signal);
        restarts += 1;
        setState('running');
        onProgress({ component: spec.name, phase: 'restarted', durationMs: Date.now() - began });
        return launched;
      } catch (error) {
        lastError = messageOf(error);
        setState('failed');
      }
    }
    return undefined;
  }

  async function watch(first: LaunchedProcess): Promise<void> {
    let launched: LaunchedProcess | undefined = first;
    while (launched && !stopping.signal.aborted) {
      const since = Date.now();
      const ended = await untilLost(spec, launched, stopping.signal);
      if (stopping.signal.aborted || ended === undefined) return;
      lastError = ended.reason;
      setState('restarting');
      onProgress({ component: spec.name, phase: ended.phase, detail: ended.reason });
      await launched.end();
      if (Date.now() - since < steadyAfterMs && restarts > 0) await pause(restartDelaysMs[1], stopping.signal);
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
          await pause(restartDelaysMs[attempt] ?? 1_000, either);
        }
      }
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
    await pause(100, signal);
  }
  throw new Error(`It was not ready within ${spec.startTimeoutMs / 1000} s: ${problem}`);
}

/** Resolves when the process has ended or has not worked for long; undefined when `signal` aborts first. */
async function untilLost(
  spec: ComponentSpec,
  launched: LaunchedProcess,
  signal: AbortSignal,
): Promise<{ phase: 'died' | 'unhealthy'; reason: string } | undefined> {
  let goodAt = Date.now();
  while (!signal.aborted) {
    await Promise.race([launched.exited, pause(checkEveryMs, signal)]);
    if (signal.aborted) return undefined;
    if (!launched.alive()) return { phase: 'died', reason: `It ended with ${launched.exitReason()}` };
    try {
      await Promise.race([withTimeout(spec.check(launched.view()), checkTimeoutMs), launched.exited]);
      goodAt = Date.now();
    } catch (error) {
      if (Date.now() - goodAt > unhealthyAfterMs) return { phase: 'unhealthy', reason: messageOf(error) };
    }
  }
  return undefined;
}

function startFailure(home: string, spec: ComponentSpec, cause: unknown): PerdureError {
  if (cause instanceof PerdureError) return cause;
  const tail = logTail(home, spec.name);
  return new PerdureError(
    'environment/broken',
    `${spec.name} did not start. ${messageOf(cause)}. Its log: ${logPath(home, spec.name)}${tail ? `, which ends with:\n${indent(tail)}` : ' (empty)'}`,
    { component: spec.name },
  );
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Waits, or less when `signal` aborts; never rejects. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal.addEventListener('abort', done, { once: true });
  });
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
