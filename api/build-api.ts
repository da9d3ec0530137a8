import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyBaseLogger } from 'fastify';
import {
  jsonSchemaTransform,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { createOriginCheck, requestOrigin } from '../domain/browser-requests.js';
import { knownEnvironment } from '../domain/promotion/environments.js';
import { PerdureError } from '../domain/errors.js';
import { findTextProblem } from '../domain/text/plain-text.js';
import { issuePath } from '../domain/schema-issue.js';
import { stackHeader, whyOtherStack } from '../domain/stack-identity.js';
import type { ApiDeps } from './deps.js';
import { replyWithError } from './error-reply.js';
import { applyEndpoints } from './endpoints/apply.js';
import { dataEndpoints } from './endpoints/data.js';
import { gatewayEndpoints } from './endpoints/gateways.js';
import { healthEndpoints } from './endpoints/health.js';
import { importEndpoints } from './endpoints/imports.js';
import { modelEndpoints } from './endpoints/models.js';
import { programEndpoints } from './endpoints/programs.js';
import { promotionEndpoints } from './endpoints/promotions.js';
import { quarantineEndpoints } from './endpoints/quarantine.js';
import { rolloutEndpoints } from './endpoints/rollouts.js';
import { routeEndpoints } from './endpoints/routes.js';
import { runEndpoints } from './endpoints/runs.js';
import { scheduleEndpoints } from './endpoints/schedules.js';
import { stackEndpoints } from './endpoints/stack.js';
import { versionEndpoints } from './endpoints/versions.js';

/** JSON bodies are definitions and decisions: small. Uploads are streamed and have a limit of their own. */
const jsonBytesMax = 4 * 1024 * 1024;

const routeGroups = [
  healthEndpoints,
  stackEndpoints,
  modelEndpoints,
  applyEndpoints,
  programEndpoints,
  dataEndpoints,
  quarantineEndpoints,
  runEndpoints,
  scheduleEndpoints,
  versionEndpoints,
  importEndpoints,
  promotionEndpoints,
  rolloutEndpoints,
  routeEndpoints,
  gatewayEndpoints,
];

/** The control API, not yet listening: `inject` requests, or `listen`. */
export async function buildApi(deps: ApiDeps, logger?: FastifyBaseLogger) {
  const app = Fastify({
    ...(logger ? { loggerInstance: logger } : {}),
    bodyLimit: jsonBytesMax,
    requestTimeout: 600_000,
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.removeContentTypeParser('text/plain'); // A page of another site may send that without asking.
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(replyWithError);
  app.setNotFoundHandler((request) => {
    throw new PerdureError(
      'not-found',
      `No endpoint matches ${request.method} ${request.url.slice(0, 200)}. /api/v1/openapi.json lists what does.`,
    );
  });
  const originProblem = createOriginCheck(deps.knownNames ?? []);
  app.addHook('onRequest', async ({ method, headers }) => {
    const problem = originProblem(requestOrigin(method, headers));
    if (problem !== undefined) throw problem;
  });
  // Before the schemas, so that no field of any request is forgotten.
  app.addHook('preValidation', async ({ params, query, body }) => {
    for (const [place, value] of Object.entries({ params, query, body })) {
      const found = findTextProblem(value);
      if (found) {
        const where = issuePath([place, ...found.path.slice(0, 20)]);
        throw new PerdureError('input/invalid', `The request is not valid: ${where} ${found.message}.`, { in: where });
      }
    }
  });
  // Any request that names an environment means one of those that there are.
  app.addHook('preHandler', async ({ params, query, body }) => {
    for (const value of [params, query, body]) {
      const named = value !== null && typeof value === 'object' && 'environment' in value ? value.environment : null;
      if (typeof named === 'string') knownEnvironment(deps.environments, named);
    }
  });
  app.addHook('onRequest', async (request) => {
    const stranger = whyOtherStack(deps.stack, request.headers[stackHeader], 'This control API');
    if (stranger !== undefined) throw new PerdureError('state/conflict', stranger);
  });
  app.addHook('onSend', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Perdure control API',
        version: '1',
        description: 'Definitions, data, runs, versions, promotions, rollouts and routes.',
      },
    },
    transform: jsonSchemaTransform,
  });
  await app.register(
    async (scope) => {
      for (const group of routeGroups) await scope.register(async (inner) => group(inner, deps));
      scope.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
    },
    { prefix: '/api/v1' },
  );
  return app;
}

export type ControlApi = Awaited<ReturnType<typeof buildApi>>;
