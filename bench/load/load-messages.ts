/** One stretch of load on one port. */
export interface LoadRequest {
  port: number;
  /** Whole HTTP requests, sent in turn; for gRPC the messages, each with its prefix. */
  requests: readonly Uint8Array[];
  /**
   * Path of the method: then `requests` are gRPC messages, sent as calls on one connection, `connections` at a time.
   */
  grpcMethod?: string;
  connections: number;
  durationMs: number;
  /** Ends earlier, after this many requests. */
  requestsMax?: number;
  /**
   * Requests a second at even intervals; each is timed from when it was due, so that a server that stalls pays for
   * those it kept waiting. Undefined: each connection sends its next request as soon as it has its answer.
   */
  perSecond?: number;
}

export interface LoadResult {
  answered: number;
  /** Answers other than 200, and connections that broke. */
  failed: number;
  firstFailure: string | undefined;
  seconds: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  p999Ms: number;
  maxMs: number;
}

/** From the bench to the load generator's process. */
export type ToLoad = { kind: 'run'; request: LoadRequest } | { kind: 'stop' };
/** From the load generator's process to the bench. */
export type FromLoad = { kind: 'ready' } | { kind: 'result'; result: LoadResult } | { kind: 'failed'; message: string };
