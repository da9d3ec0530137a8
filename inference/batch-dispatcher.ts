import { PerdureError } from '../domain/errors.js';
import { packRows, sliceScores } from './pack-rows.js';
import type { Rows } from './compiled-contract.js';
import type { CallerDeadline } from './caller-deadline.js';
import type { EngineObserver, ModelSpec } from './inference-engine.js';
import type { FromInference, ToInference } from './inference-messages.js';
import { lateError, RequestQueue, type PendingRequest, type QueueLimits } from './request-queue.js';
import type { Scores } from '../domain/tasks/scores.js';

export interface DispatcherOptions extends QueueLimits {
  deadlineMs: number;
  /** A process that keeps a batch longer is taken for hung. */
  hangMs: number;
  observer: Pick<EngineObserver, 'batch'>;
}

interface SentBatch {
  requests: PendingRequest[];
  sentAt: number;
}

type Send = (message: ToInference) => void;

/**
 * Batches in flight to the process: one being answered and one on its way, so that the process never waits for the
 * gateway.
 */
const pipelineDepth = 2;

/**
 * The requests of one model: those that wait, and those that are with its process, whichever process that is at the
 * moment. What a process had when it ended is repeated once, each request alone, so that the one that ends it takes no
 * other with it.
 */
export class BatchDispatcher {
  private readonly queue: RequestQueue;
  private readonly inFlight = new Map<number, SentBatch>();
  private send: Send | undefined;
  private scheduled = false;
  private batches = 0;

  constructor(
    private readonly spec: ModelSpec,
    private readonly options: DispatcherOptions,
  ) {
    this.queue = new RequestQueue(options);
  }

  get waiting(): number {
    return this.queue.length;
  }

  infer(rows: Rows, callerDeadline?: CallerDeadline): Promise<Scores> {
    return new Promise((resolve, reject) => {
      const deadline = Math.min(performance.now() + this.options.deadlineMs, callerDeadline?.until ?? Infinity);
      this.queue.push({ rows, deadline, callerDeadline, deaths: 0, resolve, reject });
      this.schedule();
    });
  }

  /** A process is ready: what waits goes to it. */
  connect(send: Send): void {
    this.send = send;
    this.schedule();
  }

  /** No process takes anything now: what comes waits. */
  disconnect(): void {
    this.send = undefined;
  }

  /** @returns whether it answers a batch that was sent. */
  settle(message: Extract<FromInference, { batch: number }>): boolean {
    const sent = this.inFlight.get(message.batch);
    if (sent === undefined) return false;
    this.inFlight.delete(message.batch);
    if (message.kind === 'failed') this.settleFailure(sent.requests, message.message);
    else {
      let from = 0;
      for (const request of sent.requests) {
        request.resolve(sliceScores(message, from, request.rows.count));
        from += request.rows.count;
      }
    }
    this.pump();
    return true;
  }

  /** The process has ended with what it was answering. */
  repeatInFlight(reason: string): void {
    const repeated: PendingRequest[] = [];
    for (const { requests } of this.inFlight.values()) {
      for (const request of requests) {
        request.deaths += 1;
        if (request.deaths <= 1) repeated.push(request);
        else
          request.reject(
            new PerdureError(
              'serving/failed',
              `The model ended twice while answering this request: ${reason}. Try again; if it persists, the ` +
                'request itself may be the cause.',
            ),
          );
      }
    }
    this.inFlight.clear();
    this.queue.putBack(repeated);
  }

  rejectWaiting(error: Error): void {
    this.queue.rejectAll(error);
  }

  rejectAll(error: Error): void {
    this.queue.rejectAll(error);
    for (const { requests } of this.inFlight.values()) for (const request of requests) request.reject(error);
    this.inFlight.clear();
  }

  /** Answers whom a deadline cuts short. @returns whether the process keeps a batch longer than it may. */
  sweep(now: number): boolean {
    this.queue.expire(now);
    let hangs = false;
    for (const { requests, sentAt } of this.inFlight.values()) {
      for (const request of requests) if (request.deadline <= now) request.reject(lateError(request));
      hangs ||= now - sentAt > this.options.hangMs;
    }
    return hangs;
  }

  /**
   * Batches form from what arrives in one turn of the event loop and while the process is busy: nothing ever waits for
   * a batch to fill.
   */
  private schedule(): void {
    if (this.scheduled || this.send === undefined) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    while (this.send !== undefined && this.queue.next !== undefined) {
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
      this.send({ kind: 'infer', batch, ...packed });
      if (suspect) return;
    }
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
}
