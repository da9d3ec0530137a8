import type { ChildProcess } from 'node:child_process';
import { PerdureError } from '../domain/errors.js';
import { packRows, sliceScores } from './batch.js';
import type { Rows } from './compiled-contract.js';
import { CrashBackoff, type CrashLimits } from './crash-backoff.js';
import type { Scores } from './scores.js';
import type { EngineModelStatus, EngineObserver, ModelSpec } from './inference-engine.js';
import type { FromInference, ToInference } from './inference-messages.js';
import type { InferenceProcess } from './warm-process.js';
import type { CallerDeadline } from './caller-deadline.js';
import { lateError, RequestQueue, type PendingRequest, type QueueLimits } from './request-queue.js';

export interface ModelProcessOptions extends QueueLimits, CrashLimits {
  /** Gives a process of its own, booted or booting. */
  takeProcess: () => InferenceProcess;
  deadlineMs: number;
  /** A process that keeps a batch longer is taken for hung and killed. */
  hangMs: number;
  loadTimeoutMs: number;
  observer: EngineObserver;
}

interface SentBatch {
  requests: PendingRequest[];
  sentAt: number;
}

/**
 * Batches in flight to the process: one being answered and one on its way, so that the process never waits for the
 * gateway.
 */
const pipelineDepth = 2;
/** An answer that a deadline cuts short comes at most this late. */
const sweepEveryMs = 25;
const restartDelaysMs = [0, 100, 500, 1000, 3000];

/**
 * One model version in a process of its own, with its queue. When the process dies it is started again and what it was
 * answering is repeated once, each request alone, so that the one that kills it takes no other with it.
 */
export class ModelProcess {
  private readonly queue: RequestQueue;
  private readonly inFlight = new Map<number, SentBatch>();
  private child: ChildProcess | undefined;
  private ready = false;
  private closed = false;
  private scheduled = false;
  private batches = 0;
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
    this.queue = new RequestQueue(options);
    this.deaths = new CrashBackoff(options);
    this.sweep = setInterval(() => this.sweepLate(), sweepEveryMs).unref();
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
          clearTimeout(timer);
          this.ready = true;
          this.comeBack();
          resolve();
          this.schedule();
        } else if (message.kind === 'refused') {
          reject(new PerdureError(message.code, message.message));
          this.end(message.message.replace(/\.$/, ''));
        } else this.settle(message);
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
    return new Promise((resolve, reject) => {
      const deadline = Math.min(performance.now() + this.options.deadlineMs, callerDeadline?.until ?? Infinity);
      this.queue.push({ rows, deadline, callerDeadline, deaths: 0, resolve, reject });
      this.schedule();
    });
  }

  status(): EngineModelStatus {
    return {
      key: this.spec.key,
      ...this.state(),
      processId: this.child?.pid,
      queuedRequests: this.queue.length,
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
    trial?.kill('SIGKILL');
    this.deaths.beginTrial(performance.now());
    await this.start();
  }

  close(): void {
    this.closed = true;
    this.ready = false;
    clearInterval(this.sweep);
    clearTimeout(this.restartTimer);
    const error = new PerdureError('serving/failed', `${this.spec.key} was unloaded. Try again.`);
    this.queue.rejectAll(error);
    for (const { requests } of this.inFlight.values()) for (const request of requests) request.reject(error);
    this.inFlight.clear();
    this.child?.kill('SIGKILL');
  }

  /**
   * Batches form from what arrives in one turn of the event loop and while the process is busy: nothing ever waits for
   * a batch to fill.
   */
  private schedule(): void {
    if (this.scheduled || !this.ready) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    const { child } = this;
    while (child !== undefined && this.ready && this.queue.next !== undefined) {
      const suspect = this.queue.next.deaths > 0;
      if (this.inFlight.size >= (suspect ? 1 : pipelineDepth)) return;
      const requests = this.queue.takeBatch(performance.now());
      if (requests.length === 0) continue;
      const batch = (this.batches += 1);
      const packed = packRows(
        this.spec.features,
        requests.map((request) => request.rows),
      );
      this.inFlight.set(batch, { requests, sentAt: performance.now() });
      this.options.observer.batch(this.spec.key, packed.rows);
      send(child, { kind: 'infer', batch, ...packed });
      if (suspect) return;
    }
  }

  private settle(message: Extract<FromInference, { batch: number }>): void {
    const sent = this.inFlight.get(message.batch);
    if (sent === undefined) return;
    this.inFlight.delete(message.batch);
    this.deathsInARow = 0;
    if (message.kind === 'failed') this.settleFailure(sent.requests, message.message);
    else {
      let from = 0;
      for (const request of sent.requests) {
        request.resolve(sliceScores(message, from, request.rows.count));
        from += request.rows.count;
      }
    }
    this.pump();
  }

  /** One bad row fails the whole run: each request of a batch is tried alone before it is told so. */
  private settleFailure(requests: PendingRequest[], reason: string): void {
    const [only] = requests;
    if (requests.length === 1 && only !== undefined) {
      only.reject(new PerdureError('serving/failed', `The model could not answer: ${reason}.`));
      return;
    }
    for (const request of requests) request.deaths += 1;
    this.queue.putBack(requests);
  }

  private onDeath(reason: string): void {
    this.child = undefined;
    this.ready = false;
    if (this.closed) return;
    this.restarts += 1;
    this.options.observer.restart(this.spec.key, reason);
    const repeated: PendingRequest[] = [];
    for (const { requests } of this.inFlight.values()) {
      for (const request of requests) {
        request.deaths += 1;
        if (request.deaths <= 1) repeated.push(request);
        else
          request.reject(
            new PerdureError(
              'serving/failed',
              `The model ended twice while answering this request: ${reason}. Try again; if it lasts, the ` +
                'request may be what ends it.',
            ),
          );
      }
    }
    this.inFlight.clear();
    this.queue.putBack(repeated);
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
      `its process ended ${deathsMax} times within ${deathWindowMs / 1000} s, the last time ` + `because ${reason}`;
    this.queue.rejectAll(this.outOfServiceError(this.outReason));
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
      `${name} is out of service here: ${reason}. It is tried again by itself; or roll back.`,
    );
  }

  private sweepLate(): void {
    const now = performance.now();
    this.queue.expire(now);
    for (const { requests, sentAt } of this.inFlight.values()) {
      for (const request of requests) if (request.deadline <= now) request.reject(lateError(request));
      if (now - sentAt > this.options.hangMs) this.end(`it did not answer within ${this.options.hangMs / 1000} s`);
    }
  }
}

function send(child: ChildProcess, message: ToInference): void {
  child.send(message, () => undefined);
}
