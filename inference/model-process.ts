import type { ChildProcess } from 'node:child_process';
import { PerdureError } from '../domain/errors.js';
import { BatchDispatcher, type DispatcherOptions } from './batch-dispatcher.js';
import type { Rows } from './compiled-contract.js';
import { CrashBackoff, type CrashLimits } from './crash-backoff.js';
import type { Scores } from '../domain/tasks/scores.js';
import type { EngineModelStatus, EngineObserver, ModelSpec } from './inference-engine.js';
import type { FromInference, ToInference } from './inference-messages.js';
import type { InferenceProcess } from './warm-process.js';
import type { CallerDeadline } from './caller-deadline.js';

export interface ModelProcessOptions extends DispatcherOptions, CrashLimits {
  /** Gives a process of its own, booted or booting. */
  takeProcess: () => InferenceProcess;
  loadTimeoutMs: number;
  observer: EngineObserver;
}

/** An answer that a deadline cuts short comes at most this late. */
const sweepEveryMs = 25;
const restartDelaysMs = [0, 100, 500, 1000, 3000];

/**
 * One model version in a process of its own: started, watched, started again when it ends, and out of service for a
 * while when it ends too often. Its requests outlive its processes (`BatchDispatcher`).
 */
export class ModelProcess {
  private readonly requests: BatchDispatcher;
  private child: ChildProcess | undefined;
  private ready = false;
  private closed = false;
  private restarts = 0;
  private deathsInARow = 0;
  private readonly deaths: CrashBackoff;
  /** Why this end was brought about, where it was. */
  private endReason: string | undefined;
  private outReason: string | undefined;
  private readonly sweep: NodeJS.Timeout;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly spec: ModelSpec,
    private readonly options: ModelProcessOptions,
  ) {
    this.requests = new BatchDispatcher(spec, options);
    this.deaths = new CrashBackoff(options);
    const hung = `it did not answer within ${options.hangMs / 1000} s`;
    this.sweep = setInterval(() => {
      if (this.requests.sweep(performance.now())) this.end(hung);
    }, sweepEveryMs).unref();
  }

  /** Starts the process and loads the model. @throws PerdureError when the model is refused or the process ends. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { child, booted } = this.options.takeProcess();
      this.child = child;
      const timer = setTimeout(() => {
        this.end(`it took longer than ${this.options.loadTimeoutMs / 1000} s to load`);
      }, this.options.loadTimeoutMs);
      child.on('message', (message: FromInference) => {
        if (message.kind === 'ready') return;
        if (message.kind === 'loaded') {
          // One that was given up for a new try may still say so.
          if (this.child !== child) return;
          clearTimeout(timer);
          this.ready = true;
          this.comeBack();
          resolve();
          this.requests.connect((batch) => send(child, batch));
        } else if (message.kind === 'refused') {
          reject(new PerdureError(message.code, message.message));
          this.end(message.message.replace(/\.$/, ''));
        } else if (this.requests.settle(message)) this.deathsInARow = 0;
      });
      void booted.then(() => send(child, { kind: 'load', spec: this.spec }));
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        const reason = this.endReason ?? `its process ended with ${signal ?? `code ${code}`}`;
        this.endReason = undefined;
        reject(new PerdureError('artifact/refused', `${this.spec.key} was not loaded: ${reason}.`));
        if (this.child === child) this.onDeath(reason);
      });
    });
  }

  infer(rows: Rows, callerDeadline?: CallerDeadline): Promise<Scores> {
    if (this.closed)
      return Promise.reject(new PerdureError('serving/failed', `${this.spec.key} is being unloaded. Try again.`));
    if (this.outReason !== undefined) return Promise.reject(this.outOfServiceError(this.outReason));
    return this.requests.infer(rows, callerDeadline);
  }

  status(): EngineModelStatus {
    return {
      key: this.spec.key,
      ...this.state(),
      processId: this.child?.pid,
      queuedRequests: this.requests.waiting,
      restarts: this.restarts,
    };
  }

  /**
   * Kills the process, for a reason that its requests, the log and an event give; it is started again unless it ends
   * too often.
   */
  end(reason: string): void {
    if (this.child === undefined) return;
    this.endReason ??= reason;
    this.child.kill('SIGKILL');
  }

  get processId(): number | undefined {
    return this.child?.pid;
  }

  get outOfService(): string | undefined {
    return this.outReason;
  }

  /**
   * Tries a model that is out of service without waiting any longer.
   * @throws PerdureError when it cannot be loaded now either.
   */
  async retry(): Promise<void> {
    if (this.outReason === undefined || this.closed) return;
    clearTimeout(this.restartTimer);
    const { child: trial } = this;
    this.child = undefined;
    this.requests.disconnect();
    trial?.kill('SIGKILL');
    this.deaths.beginTrial(performance.now());
    await this.start();
  }

  close(): void {
    this.closed = true;
    this.ready = false;
    clearInterval(this.sweep);
    clearTimeout(this.restartTimer);
    this.requests.disconnect();
    this.requests.rejectAll(new PerdureError('serving/failed', `${this.spec.key} was unloaded. Try again.`));
    this.child?.kill('SIGKILL');
  }

  private onDeath(reason: string): void {
    this.child = undefined;
    this.ready = false;
    this.requests.disconnect();
    if (this.closed) return;
    this.restarts += 1;
    this.options.observer.restart(this.spec.key, reason);
    this.requests.repeatInFlight(reason);
    const coolDownMs = this.deaths.died(performance.now());
    if (coolDownMs !== undefined) {
      this.takeOut(reason, coolDownMs);
      return;
    }
    const delayMs = restartDelaysMs[Math.min(this.deathsInARow, restartDelaysMs.length - 1)] ?? 0;
    this.deathsInARow += 1;
    this.restartTimer = setTimeout(() => void this.start().catch(() => undefined), delayMs);
  }

  /**
   * A model that ends again and again is given up for a while: nobody waits for it, and it takes no processor from the
   * others.
   */
  private takeOut(reason: string, coolDownMs: number): void {
    const before = this.outReason;
    const { deathsMax, deathWindowMs } = this.options;
    this.outReason ??=
      `its process ended ${deathsMax} times within ${deathWindowMs / 1000} s, ` + `the last time because ${reason}`;
    this.requests.rejectWaiting(this.outOfServiceError(this.outReason));
    if (before === undefined) this.options.observer.outOfService(this.spec.key, this.outReason);
    this.restartTimer = setTimeout(() => {
      this.deaths.beginTrial(performance.now());
      void this.start().catch(() => undefined);
    }, coolDownMs);
  }

  private comeBack(): void {
    if (this.outReason === undefined) return;
    this.outReason = undefined;
    this.options.observer.backInService(this.spec.key);
  }

  private state(): Pick<EngineModelStatus, 'state' | 'reason'> {
    if (this.outReason !== undefined) return { state: 'out-of-service', reason: this.outReason };
    return { state: this.ready ? 'ready' : this.restarts > 0 ? 'restarting' : 'starting' };
  }

  private outOfServiceError(reason: string): PerdureError {
    const name = this.spec.key.split('/', 1)[0] ?? this.spec.key;
    return new PerdureError(
      'serving/out-of-service',
      `${name} is out of service here: ${reason}. It is retried automatically; or roll back.`,
    );
  }
}

function send(child: ChildProcess, message: ToInference): void {
  child.send(message, () => undefined);
}
