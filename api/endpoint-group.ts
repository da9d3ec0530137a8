import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { ApiDeps } from './deps.js';

export type ApiScope = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Adds the routes of one subject. */
export type EndpointGroup = (app: ApiScope, deps: ApiDeps) => void | Promise<void>;

/** Which part of a list: at most so many items, after the place that the page before gave as `next`. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  after: z.string().min(1).max(1000).optional().describe('the `next` of the previous page'),
});

/** `true` or `false` in a query string. */
export const flagSchema = z.stringbool().default(false);
