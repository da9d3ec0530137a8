import type { IncomingMessage } from 'node:http';
import { PerdureError } from '../../domain/errors.js';

/** What one request's body takes of the budget, until its answer has left. */
export interface HeldBytes {
  /** False, and nothing is taken, where the process holds as much as it may. */
  add: (bytes: number) => boolean;
  /** Gives back some of it, by default all; repeatable. */
  release: (bytes?: number) => void;
}

/**
 * Bytes of request bodies that the whole process holds, over both protocols: counted as they arrive, not as they are
 * announced, so that a caller who promises much and sends nothing takes no room from others. One body's own limit says
 * nothing about a thousand at once.
 */
export class BodyBudget {
  bytes = 0;
  private readonly ofRequests = new WeakMap<IncomingMessage, HeldBytes>();

  constructor(private readonly bytesMax: number) {}

  open(): HeldBytes {
    let held = 0;
    return {
      add: (bytes) => {
        if (this.bytes + bytes > this.bytesMax) return false;
        this.bytes += bytes;
        held += bytes;
        return true;
      },
      release: (bytes = held) => {
        const given = Math.min(bytes, held);
        held -= given;
        this.bytes -= given;
      },
    };
  }

  /** The one of a request whose body the framework has read for it. */
  of(request: IncomingMessage): HeldBytes {
    const known = this.ofRequests.get(request);
    if (known !== undefined) return known;
    const held = this.open();
    this.ofRequests.set(request, held);
    return held;
  }
}

export function tooManyBytes(): PerdureError {
  return new PerdureError(
    'serving/overloaded',
    'The gateway has reached its limit on request bytes in memory. Try again in a second.',
  );
}
