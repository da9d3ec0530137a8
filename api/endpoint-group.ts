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

/** How many rows a list gives. */
export const limitSchema = z.coerce.number().int().min(1).max(500).default(50);

/** `true` or `false` in a query string. */
export const flagSchema = z.stringbool().default(false);
