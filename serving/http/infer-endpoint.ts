import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { stackHeader } from '../../domain/stack-identity.js';
import { answerInference } from '../inference/answer-inference.js';
import { tooManyBytes, type BodyBudget, type HeldBytes } from './body-budget.js';
import { headerText } from './header-text.js';
import { errorAnswer } from './gateway-errors.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { InferenceService } from '../inference/inference-service.js';
import { isInferType } from '../protocol/infer-types.js';
import { requestedVersion } from '../inference/model-metadata.js';

export interface InferEndpointDeps {
  service: InferenceService;
  metrics: GatewayMetrics;
  log: FastifyBaseLogger;
  bodyBytesMax: number;
  bodies: BodyBudget;
  isDraining: () => boolean;
}

const inferPath = /^\/v2\/models\/([\w.~-]{1,256})(?:\/versions\/(\d{1,20}))?\/infer$/;

/**
 * Answers plain inference requests in front of the framework, whose routing, hooks and reply object cost a third of
 * what such a request takes here. "Plain" means that the length is known and within bounds, no stack is named, nothing
 * is compressed and the path is an ordinary one; all else goes on to the framework's own route, which answers alike.
 */
export function putInferEndpointBefore(app: FastifyInstance, deps: InferEndpointDeps): void {
  const { server } = app;
  const framework = server.listeners('request') as RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const path = request.method === 'POST' ? inferPath.exec(request.url ?? '') : null;
    if (path !== null && isPlain(request, deps.bodyBytesMax)) collect(deps, path[1] ?? '', path[2], request, response);
    else {
      // The framework's own route reads the body; what it takes is given back when the answer has left.
      response.once('close', () => deps.bodies.of(request).release());
      for (const listener of framework) listener.call(server, request, response);
    }
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
    headers[stackHeader] === undefined &&
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
  let refused = false;
  const held = deps.bodies.open();
  request.on('data', (chunk: Buffer) => {
    if (refused) return;
    if (!held.add(chunk.length)) {
      refused = true;
      body = chunks = undefined;
      held.release();
      refuse(deps, tooManyBytes(), response);
    } else if (body === undefined) {
      body = chunk;
      // A body that does not come to its end has nobody who waits for an answer.
      if (chunk.length < Number(request.headers['content-length']))
        request.once('close', () => request.complete || held.release());
    } else (chunks ??= [body]).push(chunk);
  });
  request.on('end', () => {
    if (refused) return;
    const whole = chunks === undefined ? (body ?? Buffer.alloc(0)) : Buffer.concat(chunks);
    void answer(deps, { model, version, whole, held }, request, response);
  });
}

async function answer(
  deps: InferEndpointDeps,
  { model, version, whole: body, held }: { model: string; version: string | undefined; whole: Buffer; held: HeldBytes },
  { headers: given, socket }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { service, isDraining } = deps;
  const receivedAt = performance.now();
  try {
    const answered = await answerInference(service, isDraining, {
      model,
      version: requestedVersion(model, version),
      body,
      header: (name) => {
        const value = given[name];
        const one = typeof value === 'object' ? value[0] : value;
        return one === undefined || one === '' ? undefined : headerText(name, one);
      },
      hasLeft: () => socket.destroyed,
      receivedAt,
    });
    const { headers } = answered;
    headers['content-length'] = String(Buffer.byteLength(answered.body));
    response.writeHead(200, headers);
    response.end(answered.body);
  } catch (error) {
    refuse(deps, error, response);
  } finally {
    held.release();
  }
}

function refuse({ metrics, log }: InferEndpointDeps, error: unknown, response: ServerResponse): void {
  const { status, headers, text } = errorAnswer(error, metrics, log, randomUUID);
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
