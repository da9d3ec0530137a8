import { PerdureError } from '../domain/errors.js';
import type { Rows } from './compiled-contract.js';
import type { Scores } from '../domain/tasks/scores.js';
import { callerLeft, callerTimedOut, timedOut, type CallerDeadline } from './caller-deadline.js';

export interface PendingRequest {
  rows: Rows;
  /** Milliseconds of the monotonic clock after which nobody waits any more. */
  deadline: number;
  /** Undefined for a caller who waits whatever happens. */
  callerDeadline: CallerDeadline | undefined;
  /** Times that its process died while it was being answered. */
  deaths: number;
  resolve: (scores: Scores) => void;
  reject: (error: Error) => void;
}

export interface QueueLimits {
  requestsMax: number;
  rowsMax: number;
  batchRowsMax: number;
}

/** A deadline that passed is the caller's or the gateway's, whichever came first. */
export function lateError({ deadline, callerDeadline }: PendingRequest): PerdureError {
  return callerDeadline !== undefined && callerDeadline.until <= deadline ? callerTimedOut() : timedOut();
}

/** Requests that wait for one model, bounded, taken in order and in batches. */
export class RequestQueue {
  private waiting: PendingRequest[] = [];
  private head = 0;
  private rows = 0;

  constructor(private readonly limits: QueueLimits) {}

  get length(): number {
    return this.waiting.length - this.head;
  }

  /** @throws PerdureError `serving/overloaded` when the queue is full. */
  push(request: PendingRequest): void {
    if (
      this.length >= this.limits.requestsMax ||
      (this.length > 0 && this.rows + request.rows.count > this.limits.rowsMax)
    ) {
      throw new PerdureError(
        'serving/overloaded',
        `${this.length} requests already wait for this model. Try again in a second, or send fewer at a time.`,
      );
    }
    this.waiting.push(request);
    this.rows += request.rows.count;
  }

  /** Puts requests back in front, in their order, whatever the limits. */
  putBack(requests: readonly PendingRequest[]): void {
    this.waiting = [...requests, ...this.waiting.slice(this.head)];
    this.head = 0;
    for (const request of requests) this.rows += request.rows.count;
  }

  get next(): PendingRequest | undefined {
    return this.waiting[this.head];
  }

  /**
   * The next requests that somebody waits for, together at most `batchRowsMax` rows unless a single one is larger; a
   * suspect of a death always alone. Those whose deadline has passed or whose caller has left are rejected on the way:
   * the batch may be empty.
   */
  takeBatch(now: number): PendingRequest[] {
    const batch: PendingRequest[] = [];
    let rows = 0;
    for (let next = this.next; next !== undefined; next = this.next) {
      if (next.deadline <= now || next.callerDeadline?.hasLeft() === true) {
        this.head += 1;
        this.rows -= next.rows.count;
        next.reject(next.deadline <= now ? lateError(next) : callerLeft());
        continue;
      }
      if (batch.length > 0 && (next.deaths > 0 || rows + next.rows.count > this.limits.batchRowsMax)) break;
      batch.push(next);
      rows += next.rows.count;
      this.head += 1;
      if (next.deaths > 0) break;
    }
    this.rows -= rows;
    if (this.head === this.waiting.length || this.head > 1024) {
      this.waiting = this.waiting.slice(this.head);
      this.head = 0;
    }
    return batch;
  }

  /** Rejects what nobody waits for any more. */
  expire(now: number): void {
    const kept: PendingRequest[] = [];
    for (const request of this.waiting.slice(this.head)) {
      if (request.deadline > now) kept.push(request);
      else {
        this.rows -= request.rows.count;
        request.reject(lateError(request));
      }
    }
    if (kept.length !== this.length) {
      this.waiting = kept;
      this.head = 0;
    }
  }

  rejectAll(error: Error): void {
    for (const request of this.waiting.slice(this.head)) request.reject(error);
    this.waiting = [];
    this.head = 0;
    this.rows = 0;
  }
}
