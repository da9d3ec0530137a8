import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { answerInference } from './answer-inference.js';
import { errorAnswer } from './gateway-errors.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { InferenceService } from './inference-service.js';
import { isInferType } from './infer-types.js';
import { requestedVersion } from './model-metadata.js';

export interface InferEndpointDeps {
  service: InferenceService;
  metrics: GatewayMetrics;
  log: FastifyBaseLogger;
  bodyBytesMax: number;
  isDraining: () => boolean;
}

const inferPath = /^\/v2\/models\/([\w.~-]{1,256})(?:\/versions\/(\d{1,20}))?\/infer$/;

/**
 * Answers plain inference requests in front of the framework, whose routing, hooks and reply object cost a third of what such a request takes here. "Plain" means that the
 * length is known and within bounds, nothing is compressed and the path is an ordinary one; all else goes on to the framework's own route, which answers alike.
 */
export function putInferEndpointBefore(app: FastifyInstance, deps: InferEndpointDeps): void {
  const { server } = app;
  const framework = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const path = request.method === 'POST' ? inferPath.exec(request.url ?? '') : null;
    if (path !== null && isPlain(request, deps.bodyBytesMax)) collect(deps, path[1] ?? '', path[2], request, response);
    else for (const listener of framework) listener.call(server, request, response);
  });
}

function isPlain({ headers }: IncomingMessage, bodyBytesMax: number): boolean {
  const length = headers['content-length'];
  return (
    length !== undefined &&
    Number(length) <= bodyBytesMax &&
    headers['content-encoding'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    headers['upgrade'] === undefined &&
    isInferType(headers['content-type'])
  );
}

function collect(
  deps: InferEndpointDeps,
  model: string,
  version: string | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  let body: Buffer | undefined;
  let chunks: Buffer[] | undefined;
  request.on('data', (chunk: Buffer) => {
    if (body === undefined) body = chunk;
    else (chunks ??= [body]).push(chunk);
  });
  // A body that does not come to its end has nobody who waits for an answer.
  request.on('end', () => {
    const whole = chunks === undefined ? (body ?? Buffer.alloc(0)) : Buffer.concat(chunks);
    void answer(deps, model, version, whole, request, response);
  });
}

async function answer(
  { service, metrics, log, isDraining }: InferEndpointDeps,
  model: string,
  version: string | undefined,
  body: Buffer,
  { headers: given, socket }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const receivedAt = performance.now();
  try {
    const answered = await answerInference(service, isDraining, {
      model,
      version: requestedVersion(model, version),
      body,
      header: (name) => {
        const value = given[name];
        const one = typeof value === 'object' ? value[0] : value;
        return one === '' ? undefined : one;
      },
      hasLeft: () => socket.destroyed,
      receivedAt,
    });
    const { headers } = answered;
    headers['content-length'] = String(Buffer.byteLength(answered.body));
    response.writeHead(200, headers);
    response.end(answered.body);
  } catch (error) {
    const { status, headers, text } = errorAnswer(error, metrics, log, randomUUID);
    response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  }
}
