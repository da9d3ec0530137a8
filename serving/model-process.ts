import type { ChildProcess } from 'node:child_process';
import { PerdureError } from '../domain/errors.js';
import { packRows, sliceAnswer } from './batch.js';
import type { Rows } from './compiled-contract.js';
import type { Answer } from './infer-response.js';
import type { EngineModelStatus, EngineObserver, ModelSpec } from './inference-engine.js';
import type { FromInference, ToInference } from './inference-messages.js';
import type { InferenceProcess } from './spare-process.js';
import { timedOut, type Patience } from './patience.js';
import { RequestQueue, type PendingRequest, type QueueLimits } from './request-queue.js';

export interface ModelProcessOptions extends QueueLimits {
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

/** Batches in flight to the process: one being answered and one on its way, so that the process never waits for the gateway. */
const pipelineDepth = 2;
/** An answer that a deadline cuts short comes at most this late. */
const sweepEveryMs = 25;
const restartDelaysMs = [0, 100, 500, 1000, 3000];

/**
 * One model version in a process of its own, with its queue. When the process dies it is started again and what it was answering is repeated once, each request
 * alone, so that the one that kills it takes no other with it.
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
  private readonly sweep: NodeJS.Timeout;
  private restartTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly spec: ModelSpec,
    private readonly options: ModelProcessOptions,
  ) {
    this.queue = new RequestQueue(options);
    this.sweep = setInterval(() => this.sweepLate(), sweepEveryMs).unref();
  }

  /** Starts the process and loads the model. @throws PerdureError when the model is refused or the process ends. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const { child, booted } = this.options.takeProcess();
      this.child = child;
      const timer = setTimeout(() => {
        reject(new PerdureError('artifact/refused', `${this.spec.key} was not loaded within ${this.options.loadTimeoutMs / 1000} s.`));
        child.kill('SIGKILL');
      }, this.options.loadTimeoutMs);
      child.on('message', (message: FromInference) => {
        if (message.kind === 'ready') return;
        if (message.kind === 'loaded') {
          clearTimeout(timer);
          this.ready = true;
          resolve();
          this.schedule();
        } else if (message.kind === 'refused') {
          reject(new PerdureError(message.code, message.message));
          child.kill('SIGKILL');
        } else this.settle(message);
      });
      void booted.then(() => send(child, { kind: 'load', spec: this.spec }));
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(new PerdureError('artifact/refused', `The process of ${this.spec.key} ended while loading (${signal ?? `code ${code}`}).`));
        if (this.child === child) this.onDeath(signal ?? `code ${code}`);
      });
    });
  }

  infer(rows: Rows, patience?: Patience): Promise<Answer> {
    if (this.closed) return Promise.reject(new PerdureError('serving/failed', `${this.spec.key} is being unloaded. Try again.`));
    return new Promise((resolve, reject) => {
      const deadline = Math.min(performance.now() + this.options.deadlineMs, patience?.until ?? Infinity);
      this.queue.push({ rows, deadline, patience, deaths: 0, resolve, reject });
      this.schedule();
    });
  }

  status(): EngineModelStatus {
    return {
      key: this.spec.key,
      state: this.ready ? 'ready' : this.restarts > 0 ? 'restarting' : 'starting',
      processId: this.child?.pid,
      queuedRequests: this.queue.length,
      restarts: this.restarts,
    };
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

  /** Batches form from what arrives in one turn of the event loop and while the process is busy: nothing ever waits for a batch to fill. */
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
        request.resolve(sliceAnswer(message, from, request.rows.count));
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
              'The model ended twice while answering this request. Try again; if it lasts, the request may be what ends it.',
            ),
          );
      }
    }
    this.inFlight.clear();
    this.queue.putBack(repeated);
    const delayMs = restartDelaysMs[Math.min(this.deathsInARow, restartDelaysMs.length - 1)] ?? 0;
    this.deathsInARow += 1;
    this.restartTimer = setTimeout(() => void this.start().catch(() => undefined), delayMs);
  }

  private sweepLate(): void {
    const now = performance.now();
    this.queue.expire(now);
    for (const { requests, sentAt } of this.inFlight.values()) {
      for (const request of requests) if (request.deadline <= now) request.reject(timedOut());
      if (now - sentAt > this.options.hangMs) this.child?.kill('SIGKILL');
    }
  }
}

function send(child: ChildProcess, message: ToInference): void {
  child.send(message, () => undefined);
}
