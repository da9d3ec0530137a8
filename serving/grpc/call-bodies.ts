import {
  Metadata,
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  status,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { Duplex } from 'node:stream';
import { tooManyBytes, type BodyBudget, type HeldBytes } from '../http/body-budget.js';
import { grpcFailure } from './grpc-status.js';

export interface CallBodyLimits {
  bodies: BodyBudget;
  bodyBytesMax: number;
  /** A call whose message is not whole by then is ended. */
  bodyTimeoutMs: number;
}

/** What deflate makes of a byte at most. */
const unpackRatioMax = 1_032;

type Call = Parameters<ServerInterceptor>[1];

/**
 * Counts the bytes of calls as they arrive. The library collects a message of up to the limit for each of a thousand
 * calls of any number of connections, with no bound on all of them and none on how long one takes to arrive.
 */
export function callBodies({ bodies, bodyBytesMax, bodyTimeoutMs }: CallBodyLimits): {
  interceptor: ServerInterceptor;
  stop: () => void;
} {
  const arriving = new Map<Duplex, { since: number; call: Call; held: HeldBytes }>();
  const sweep = setInterval(
    () => {
      const tooOld = performance.now() - bodyTimeoutMs;
      for (const [stream, { since, call, held }] of arriving) {
        if (since > tooOld) return; // The oldest stand first.
        arriving.delete(stream);
        held.release();
        end(call, stream, {
          code: status.DEADLINE_EXCEEDED,
          details: `The message did not arrive within ${bodyTimeoutMs / 1000} s.`,
        });
      }
    },
    Math.min(1_000, bodyTimeoutMs),
  ).unref();

  const interceptor: ServerInterceptor = (method, call) => {
    const stream: unknown = Reflect.get(call, 'stream');
    if (!(stream instanceof Duplex) || method.requestStream) return new ServerInterceptingCall(call);
    const held = bodies.open();
    const encoding: unknown = Reflect.get(call, 'incomingEncoding');
    const isPacked = encoding !== 'identity';
    arriving.set(stream, { since: performance.now(), call, held });
    let packedBytes = 0;
    stream.prependListener('data', (chunk: Buffer) => {
      packedBytes += chunk.length;
      const most = isPacked
        ? Math.min(chunk.length * unpackRatioMax, Math.max(0, bodyBytesMax - (packedBytes - chunk.length)))
        : chunk.length;
      if (held.add(most)) return;
      held.release();
      arriving.delete(stream);
      end(call, stream, grpcFailure(tooManyBytes()));
    });
    stream.once('end', () => arriving.delete(stream));
    stream.once('close', () => {
      arriving.delete(stream);
      held.release();
    });
    return isPacked ? shrinkingWhenUnpacked(call, held) : new ServerInterceptingCall(call);
  };
  return { interceptor, stop: () => clearInterval(sweep) };
}

/** Ends a call before its message is whole; what still comes of it is dropped. */
function end(
  call: Call,
  stream: Duplex,
  { code, details, metadata }: { code: status; details: string; metadata?: Metadata | null },
): void {
  stream.removeAllListeners('data');
  stream.resume();
  stream.once('finish', () => setImmediate(() => stream.destroy()));
  call.sendStatus({ code, details, metadata: metadata ?? new Metadata() });
}

/** Once a message is unpacked, only what it takes is held. */
function shrinkingWhenUnpacked(call: Call, held: HeldBytes): ServerInterceptingCall {
  const listener = new ServerListenerBuilder()
    .withOnReceiveMessage((message: unknown, next) => {
      held.release();
      if (Buffer.isBuffer(message)) held.add(message.length);
      next(message);
    })
    .build();
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart((next) => next(listener)).build());
}
