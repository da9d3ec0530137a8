import { PerdureError, messageOf } from '../../../domain/errors.js';
import type { ComponentReport, ComponentSpec, ComponentState, OnProgress } from '../processes/component.js';
import { adopt, launch, type LaunchedProcess } from '../processes/launch.js';
import { fullDiskText } from '../doctor/disk-space.js';
import { logPath, logTail } from '../processes/logs.js';
import { sleep } from '../processes/sleep.js';
import { endProcess } from '../processes/end-process.js';
import { leftovers } from '../processes/run-files.js';
import { untilLost, untilReady } from './readiness.js';
import { RestartBackoff } from './restart-backoff.js';

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
  return new ComponentSupervision(home, spec, tell, tellChange);
}

class ComponentSupervision implements SupervisedComponent {
  private state: ComponentState = 'stopped';
  private current: LaunchedProcess | undefined;
  private adopted: LaunchedProcess | undefined;
  private startedAt: string | undefined;
  private restarts = 0;
  private lastError: string | undefined;
  private watching: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  private readonly backoff = new RestartBackoff();

  constructor(
    private readonly home: string,
    readonly spec: ComponentSpec,
    private readonly listener: OnProgress,
    private readonly onChange: () => void,
  ) {}

  async start(signal: AbortSignal): Promise<void> {
    this.setState('starting');
    this.tell({ phase: 'starting' });
    const began = Date.now();
    const either = AbortSignal.any([signal, this.stopping.signal]);
    const found = await this.takeOver(either);
    if (found) {
      this.setState('running');
      this.tell({ phase: 'adopted', detail: `process ${found.pid}`, durationMs: Date.now() - began });
      this.watching = this.watch(found);
      return;
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        const launched = await this.bringUp(either);
        this.setState('running');
        this.tell({ phase: 'ready', durationMs: Date.now() - began });
        this.watching = this.watch(launched);
        return;
      } catch (error) {
        this.lastError = messageOf(error);
        this.setState('failed');
        either.throwIfAborted();
        if (error instanceof PerdureError || attempt === firstStartAttempts)
          throw startFailure(this.home, this.spec, error);
        await sleep(this.backoff.delayMs(performance.now()), either);
      }
    }
  }

  async giveUp(): Promise<void> {
    if (this.adopted === undefined || this.current !== this.adopted) return this.stop();
    this.stopping.abort();
    this.adopted.release();
    await this.watching;
  }

  async stop(): Promise<void> {
    const wasUp = this.current !== undefined;
    this.stopping.abort();
    if (wasUp) {
      this.setState('stopping');
      this.tell({ phase: 'stopping' });
    }
    const began = Date.now();
    await this.watching;
    await this.current?.end();
    this.setState('stopped');
    if (wasUp) this.tell({ phase: 'stopped', durationMs: Date.now() - began });
  }

  report(): ComponentReport {
    const { spec, state, current, startedAt, restarts, lastError } = this;
    return {
      ...{ name: spec.name, state, address: spec.address, version: spec.version, restarts, lastError },
      pid: current?.alive() ? current.pid : undefined,
      logFile: logPath(this.home, spec.name),
      startedAt: state === 'running' ? startedAt : undefined,
    };
  }

  private async bringUp(signal: AbortSignal): Promise<LaunchedProcess> {
    await this.spec.prepare();
    const launched = launch(this.home, this.spec);
    this.current = launched;
    try {
      await untilReady(this.spec, launched, signal);
    } catch (error) {
      await launched.end();
      throw error;
    }
    this.startedAt = new Date().toISOString();
    this.lastError = undefined;
    return launched;
  }

  /**
   * The process of an earlier supervisor, when it is what would be started now and works. What is something else, as
   * after a change of the program or of a setting, ends here, just before its successor starts.
   */
  private async takeOver(signal: AbortSignal): Promise<LaunchedProcess | undefined> {
    const { spec, home } = this;
    for (const entry of leftovers(home).filter((one) => one.name === spec.name)) {
      if (this.adopted === undefined && spec.adoptAs !== undefined && entry.adoptAs === spec.adoptAs) {
        const running = adopt(home, entry);
        try {
          await untilReady({ ...spec, startTimeoutMs: adoptTimeoutMs }, running, signal);
          this.startedAt = new Date().toISOString();
          this.current = this.adopted = running;
          continue;
        } catch {
          running.release();
          signal.throwIfAborted();
        }
      }
      await endProcess(entry.process, entry.stopSignal, entry.graceMs);
    }
    return this.adopted;
  }

  private async watch(first: LaunchedProcess): Promise<void> {
    const { signal } = this.stopping;
    let launched: LaunchedProcess | undefined = first;
    while (launched && !signal.aborted) {
      this.backoff.works(performance.now());
      const ended = await untilLost(this.home, this.spec, launched, signal);
      if (signal.aborted || ended === undefined) return;
      this.lastError = ended.reason;
      this.setState('restarting');
      this.tell({ phase: ended.phase, detail: ended.reason });
      await launched.end();
      launched = await this.bringBack(signal);
    }
  }

  /** Restarts until it works or is stopped. */
  private async bringBack(signal: AbortSignal): Promise<LaunchedProcess | undefined> {
    while (!signal.aborted) {
      await sleep(this.backoff.delayMs(performance.now()), signal);
      if (signal.aborted) return undefined;
      const began = Date.now();
      try {
        const launched = await this.bringUp(signal);
        this.restarts += 1;
        this.setState('running');
        this.tell({ phase: 'restarted', durationMs: Date.now() - began });
        return launched;
      } catch (error) {
        this.lastError = `${messageOf(error)}${fullDiskText(this.home)}`;
        this.setState('failed');
      }
    }
    return undefined;
  }

  private setState(next: ComponentState): void {
    this.state = next;
    quietly(this.onChange);
  }

  /** Who listens may fail, as on a full disk: the watch goes on. */
  private tell(progress: Omit<Parameters<OnProgress>[0], 'component'>): void {
    quietly(() => this.listener({ component: this.spec.name, ...progress }));
  }
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
