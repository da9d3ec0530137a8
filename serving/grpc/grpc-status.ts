import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { errorTraits, PerdureError } from '../../domain/errors.js';

/** Every error code has an HTTP status; this says which gRPC status stands for it. What is not here is INTERNAL. */
const grpcStatusOfHttp: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  415: status.INVALID_ARGUMENT,
  422: status.INVALID_ARGUMENT,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  500: status.INTERNAL,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

const retryAfterMs = 1_000;

/** HTTP status of an error, for counters that both protocols share. */
export function httpStatusOf(error: unknown): number {
  return error instanceof PerdureError ? errorTraits(error.code).httpStatus : 500;
}

/** An error as a gRPC caller gets it: the same words as over REST, and when to come back where that helps. */
export function grpcFailure(error: unknown): Pick<StatusObject, 'code' | 'details' | 'metadata'> {
  const http = httpStatusOf(error);
  const metadata = new Metadata();
  // What Retry-After is to HTTP; clients with a retry policy obey it.
  if (http === 429 || http === 503) metadata.set('grpc-retry-pushback-ms', String(retryAfterMs));
  return {
    code: grpcStatusOfHttp[http] ?? status.INTERNAL,
    details:
      error instanceof PerdureError
        ? error.message
        : "An internal error occurred; the request was not at fault. See the gateway's log.",
    metadata,
  };
}
