import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { errorTraits, PerdureError } from '../domain/errors.js';
import type { ErrorBody } from '../client/http/error-body.js';

/**
 * Answers every error in the one shape, with the status of the error table; what nobody foresaw is logged in full and
 * told in short.
 */
export function replyWithError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { status, body } = describe(error);
  if (status >= 500) request.log.error({ err: error }, 'request failed');
  void reply
    .status(status)
    .send({ error: { ...body, details: { ...body.details, requestId: request.id } } } satisfies ErrorBody);
}

function describe(error: unknown): { status: number; body: ErrorBody['error'] } {
  if (error instanceof PerdureError) {
    return {
      status: errorTraits(error.code).httpStatus,
      body: { code: error.code, message: error.message, details: error.details },
    };
  }
  if (hasZodFastifySchemaValidationErrors(error)) {
    const problems = error.validation.map((issue) => ({
      path: issue.instancePath.replace(/^\//, '').replaceAll('/', '.'),
      message: issue.message ?? 'is not valid',
    }));
    const told = problems
      .map(({ path, message }) => `${path || error.validationContext || 'request'}: ${message}`)
      .join('; ');
    return {
      status: 400,
      body: {
        code: 'input/invalid',
        message: `The request is not valid: ${told}.`,
        details: { in: error.validationContext, problems },
      },
    };
  }
  if (isDatabaseAway(error)) {
    return {
      status: errorTraits('server/unreachable').httpStatus,
      body: {
        code: 'server/unreachable',
        message:
          'The database does not answer. Check the stack with `npx perdure status`; the request ' + 'is safe to retry.',
        details: {},
      },
    };
  }
  const status = statusOf(error);
  if (status !== undefined && status < 500) {
    const code = status === 413 ? 'input/too-large' : status === 415 ? 'input/unsupported' : 'input/invalid';
    return {
      status,
      body: { code, message: error instanceof Error ? error.message : 'The request is not valid.', details: {} },
    };
  }
  return {
    status: 500,
    body: {
      code: 'unexpected',
      message: 'The control API failed on this request. Its log has the cause under the request id.',
      details: {},
    },
  };
}

function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as FastifyError).statusCode : undefined;
}

const awayCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'ENOTFOUND',
  'CONNECT_TIMEOUT',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  '57P01',
  '57P03',
]);

/** Looks through the causes: drizzle wraps what the driver threw. */
function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && awayCodes.has(error.code)) return true;
  return isDatabaseAway(error.cause);
}
