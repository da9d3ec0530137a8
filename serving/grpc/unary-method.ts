import type { MethodDefinition, sendUnaryData, ServerUnaryCall, UntypedHandleCall } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import { isCallersEnd } from '../../inference/caller-deadline.js';
import { grpcFailure, httpStatusOf } from './grpc-status.js';

/** A message type as generated: how its bytes are read and written. */
export interface Codec<T> {
  decode: (bytes: Uint8Array) => T;
  encode: (message: T) => { finish: () => Uint8Array };
}

export type UnaryCall = ServerUnaryCall<Buffer, Buffer>;

export interface CallReport {
  metrics: Pick<GatewayMetrics, 'refused'>;
  log: Pick<Logger, 'warn' | 'error'>;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/**
 * A method whose messages reach its handler as bytes: a message that cannot be read is then answered in words like any
 * other mistake.
 */
export function bytesMethod(
  path: string,
  stream: { request?: boolean; response?: boolean } = {},
): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: stream.request ?? false,
    responseStream: stream.response ?? false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** Answers a call with what `work` gives, or with the error that it throws. */
export function unaryHandler(
  { metrics, log }: CallReport,
  path: string,
  work: (bytes: Buffer, call: UnaryCall) => Promise<Buffer> | Buffer,
): UntypedHandleCall {
  const fail = (error: unknown, callback: sendUnaryData<Buffer>) => {
    const http = httpStatusOf(error);
    const failure = grpcFailure(error);
    if (http < 500 || isCallersEnd(error)) metrics.refused.inc({ status: String(http) });
    else if (http === 500) log.error({ err: error, method: path }, 'call failed');
    else log.warn({ reason: failure.details, method: path }, 'call not answered');
    callback(failure);
  };
  const answer = async (call: UnaryCall, callback: sendUnaryData<Buffer>) => {
    let bytes: Buffer;
    try {
      bytes = await work(call.request, call);
    } catch (error) {
      fail(error, callback);
      return;
    }
    callback(null, bytes);
  };
  return (call: UnaryCall, callback: sendUnaryData<Buffer>) => void answer(call, callback);
}

/** The same for messages of generated types. */
export function messageHandler<Request, Response>(
  report: CallReport,
  path: string,
  [request, response]: readonly [Codec<Request>, Codec<Response>],
  work: (message: Request) => Response,
): UntypedHandleCall {
  return unaryHandler(report, path, (bytes) => encoded(response, work(request.decode(bytes))));
}

export function encoded<T>(codec: Codec<T>, message: T): Buffer {
  const bytes = codec.encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
