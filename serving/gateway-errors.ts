import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { errorTraits, PerdureError } from '../domain/errors.js';
import type { GatewayMetrics } from './gateway-metrics.js';

const retryAfterSeconds = 1;

/** Answers every error as `{"error": "…"}`: what the caller can act on in words, anything else only as its request's number in the log. */
export function gatewayErrorHandler(
  metrics: GatewayMetrics,
): (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => FastifyReply {
  return (error, request, reply) => {
    const { status, message } = describe(error, request);
    if (status < 500) metrics.refused.inc({ status: String(status) });
    if (status === 429 || status === 503) void reply.header('retry-after', retryAfterSeconds);
    // Fastify closes the connection when a body could not be parsed, in case more of it comes; once all of it is read there is no need.
    if (request.raw.complete) void reply.removeHeader('connection');
    // As bytes, so that no charset is added: the kserve client shows the message of the plain type only.
    return reply
      .code(status)
      .header('content-type', 'application/json')
      .send(Buffer.from(JSON.stringify({ error: message })));
  };
}

function describe(error: FastifyError | Error, request: FastifyRequest): { status: number; message: string } {
  if (error instanceof PerdureError) {
    const status = errorTraits(error.code).httpStatus;
    if (status >= 500) request.log.warn({ code: error.code, reason: error.message }, 'request not answered');
    return { status, message: error.message };
  }
  if ('statusCode' in error && error.statusCode !== undefined && error.statusCode < 500)
    return { status: error.statusCode, message: error.message };
  request.log.error({ err: error }, 'request failed unexpectedly');
  return { status: 500, message: `Something went wrong here, not with the request. The gateway's log has it under ${request.id}.` };
}
