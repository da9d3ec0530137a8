import type { FastifyBaseLogger, FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorTraits, PerdureError } from '../../domain/errors.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import { isCallersEnd } from '../../inference/caller-deadline.js';

const retryAfterSeconds = 1;

/**
 * Answers every error as `{"error": "…"}`: what the caller can act on in words, anything else only as its request's
 * number in the log.
 */
export function gatewayErrorHandler(
  metrics: GatewayMetrics,
): (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const { status, headers, text } = errorAnswer(error, metrics, request.log, () => request.id);
    // Fastify closes the connection when a body could not be parsed, in case more of it comes; once all of it is read
    // there is no need.
    if (request.raw.complete) void reply.removeHeader('connection');
    // As bytes, so that no charset is added: the kserve client shows the message of the plain type only.
    return reply.code(status).headers(headers).send(Buffer.from(text));
  };
}

/**
 * The answer to a request that ended in an error, counted and logged.
 * @param idOf names the request in log and answer where nothing else may be said.
 */
export function errorAnswer(
  error: unknown,
  metrics: GatewayMetrics,
  log: FastifyBaseLogger,
  idOf: () => string,
): { status: number; headers: Record<string, string>; text: string } {
  const { status, message } = describe(error, log, idOf);
  if (status < 500 || isCallersEnd(error)) metrics.refused.inc({ status: String(status) });
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (status === 429 || status === 503) headers['retry-after'] = String(retryAfterSeconds);
  return { status, headers, text: JSON.stringify({ error: message }) };
}

function describe(error: unknown, log: FastifyBaseLogger, idOf: () => string): { status: number; message: string } {
  if (error instanceof PerdureError) {
    const status = errorTraits(error.code).httpStatus;
    if (status >= 500 && !isCallersEnd(error))
      log.warn({ code: error.code, reason: error.message }, 'request not answered');
    return { status, message: error.message };
  }
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500)
    return { status: error.statusCode, message: error.message };
  const request = idOf();
  log.error({ err: error, request }, 'request failed unexpectedly');
  return {
    status: 500,
    message: `An internal error occurred; the request was not at fault. See the gateway's log under ${request}.`,
  };
}
