import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { PerdureError } from '../../domain/errors.js';
import { answerInference } from '../inference/answer-inference.js';
import { isInferType } from '../protocol/infer-types.js';
import { headerText } from './header-text.js';
import type { BodyBudget } from './body-budget.js';
import type { InferenceService } from '../inference/inference-service.js';
import { modelMetadata, requestedVersion, serverMetadata } from '../inference/model-metadata.js';
import { readBody } from './request-body.js';
import {
  parseIndexRequest,
  refuseRepositoryChange,
  repositoryIndex,
  type Repository,
} from '../inference/repository-index.js';

export interface ProtocolRoutesDeps extends Repository {
  service: InferenceService;
  productVersion: string;
  bodyBytesMax: number;
  bodies: BodyBudget;
  isReady: () => boolean;
  /** Models served although the database has no route for them. */
  unconfirmed: () => string[];
  /** Whether callers had better look for another gateway. */
  isDraining: () => boolean;
}

interface ModelParams {
  model: string;
  version?: string;
}

/** Open Inference Protocol v2 over REST. */
export function registerProtocolEndpoints(app: FastifyInstance, deps: ProtocolRoutesDeps): void {
  const { service, table, productVersion, bodyBytesMax, bodies, isReady, isDraining } = deps;
  app.removeAllContentTypeParsers();
  // Clients of the binary extension send no content type at all.
  app.addContentTypeParser('*', async (request: FastifyRequest, payload: FastifyRequest['raw']) => {
    if (!isInferType(request.headers['content-type'])) {
      const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1);
      payload.resume();
      throw new PerdureError(
        'input/unsupported',
        `The content type ${JSON.stringify(type.slice(0, 100))} is not supported. Send application/json or ` +
          'application/octet-stream.',
      );
    }
    return readBody(payload, request.headers['content-encoding'], {
      bytesMax: bodyBytesMax,
      held: bodies.of(request.raw),
    });
  });

  app.get('/v2', () => serverMetadata(productVersion));
  app.get('/v2/health/live', () => ({ live: true }));
  app.get('/v2/health/ready', (_request, reply) => {
    const notInStore = deps.unconfirmed();
    return reply.code(isReady() ? 200 : 503).send({ ready: isReady(), ...(notInStore.length > 0 && { notInStore }) });
  });

  const metadata = (request: FastifyRequest<{ Params: ModelParams }>) => {
    const [model, version] = named(request.params);
    return modelMetadata(service.versionOf(model, version), table, version);
  };
  const ready = (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply) => {
    const reason = service.notReadyBecause(...named(request.params));
    const { model: name } = request.params;
    return reply.code(reason === undefined ? 200 : 503).send({ name, ready: reason === undefined, reason });
  };
  const infer = async (request: FastifyRequest<{ Params: ModelParams }>, reply: FastifyReply) => {
    const receivedAt = performance.now();
    const [model, version] = named(request.params);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const { socket } = request.raw;
    const hasLeft = () => socket.destroyed;
    const headerOf = (name: string) => header(request, name);
    const answer = await answerInference(service, isDraining, {
      model,
      version,
      body,
      header: headerOf,
      hasLeft,
      receivedAt,
    });
    return reply.headers(answer.headers).send(answer.body);
  };
  for (const prefix of ['/v2/models/:model', '/v2/models/:model/versions/:version']) {
    app.get(prefix, metadata);
    app.get(`${prefix}/ready`, ready);
    app.post(`${prefix}/infer`, infer);
  }
  app.post('/v2/repository/index', (request) => repositoryIndex(deps, parseIndexRequest(request.body)));
  app.post(
    '/v2/repository/models/:model/:change',
    (request: FastifyRequest<{ Params: { model: string; change: string } }>, reply) => {
      const { model, change } = request.params;
      if (change !== 'load' && change !== 'unload') return reply.callNotFound();
      throw refuseRepositoryChange(model, change);
    },
  );
}

function named({ model, version }: ModelParams): [model: string, version: number | undefined] {
  return [model, requestedVersion(model, version)];
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  const one = Array.isArray(value) ? value[0] : value;
  return one === undefined || one === '' ? undefined : headerText(name, one);
}
