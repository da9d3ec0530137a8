import { PerdureError } from '../domain/errors.js';
import { quoted, refusal } from './refusal.js';

/**
 * How long a caller waits. Asked when a request's turn comes, so that the model's time goes to those who are still
 * there.
 */
export interface CallerDeadline {
  /** Milliseconds of the monotonic clock; Infinity without a deadline of the caller's own. */
  until: number;
  hasLeft: () => boolean;
}

/** Refuses what nobody waits for any more before anything is spent on it. @throws PerdureError `caller/timed-out`. */
export function assertWaiting(callerDeadline: CallerDeadline): void {
  if (callerDeadline.until <= performance.now()) throw callerTimedOut();
}

export function timedOut(): PerdureError {
  return new PerdureError(
    'serving/timed-out',
    'The model did not answer in time. Try again; if it persists, send fewer rows per request.',
  );
}

/** The deadline was the caller's own: whoever waits for a millisecond would else make any version look broken. */
export function callerTimedOut(): PerdureError {
  return new PerdureError(
    'caller/timed-out',
    "The request's own deadline passed before the model answered. Allow more time, or send fewer rows per request.",
  );
}

/** Whether a request ended by its caller's doing, which says nothing about the version. */
export function isCallersEnd(error: unknown): boolean {
  return error instanceof PerdureError && (error.code === 'caller/left' || error.code === 'caller/timed-out');
}

export function callerLeft(): PerdureError {
  return new PerdureError('caller/left', 'The caller hung up before the model was asked.');
}

/** The earliest of several times to wait, each in ms or undefined, as a moment of the monotonic clock. */
export function waitsUntil(receivedAt: number, ...timeoutsMs: readonly (number | undefined)[]): number {
  let until = Infinity;
  for (const timeoutMs of timeoutsMs) if (timeoutMs !== undefined) until = Math.min(until, receivedAt + timeoutMs);
  return until;
}

/**
 * The request parameter `timeout`, in microseconds as Triton and its clients have it; 0 means none.
 * @returns milliseconds.
 * @throws PerdureError `input/invalid`.
 */
export function timeoutParameterMs(timeout: unknown): number | undefined {
  if (timeout === undefined || timeout === null || timeout === 0) return undefined;
  if (typeof timeout !== 'number' || !Number.isSafeInteger(timeout) || timeout < 0) {
    throw refusal(
      `The parameter timeout is ${quoted(timeout)}.`,
      'Send a whole number of microseconds, or leave it out.',
    );
  }
  return timeout / 1000;
}

/** The header `X-Request-Timeout-Ms`. @throws PerdureError `input/invalid`. */
export function timeoutHeaderMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) {
    throw refusal(
      `The header X-Request-Timeout-Ms is ${quoted(text)}.`,
      'Send a number of milliseconds, or leave it out.',
    );
  }
  return Number(text);
}
