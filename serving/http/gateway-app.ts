import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { createOriginCheck, requestOrigin } from '../../domain/browser-requests.js';
import { PerdureError } from '../../domain/errors.js';
import { stackHeader, whyOtherStack, type StackIdentity } from '../../domain/stack-identity.js';
import { gatewayErrorHandler } from './gateway-errors.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { GatewayStatus } from '../gateway-status.js';
import { putInferEndpointBefore } from './infer-endpoint.js';
import { registerLabelEndpoints } from './label-endpoints.js';
import { registerPassportEndpoints, type PassportDeps } from './passport-endpoints.js';
import { registerProtocolEndpoints, type ProtocolRoutesDeps } from './protocol-endpoints.js';
import type { Spool } from '../prediction-log/spool.js';

export interface GatewayAppDeps extends ProtocolRoutesDeps {
  log: FastifyBaseLogger;
  metrics: GatewayMetrics;
  labels: Spool;
  passports: PassportDeps;
  /** A request whose body is not whole by then is ended. */
  bodyTimeoutMs: number;
  /** Beside those of the loopback interface. */
  knownNames: readonly string[];
  stack: StackIdentity | undefined;
  status: () => GatewayStatus;
  /** Brings those metrics up to date that are read rather than counted, and ends those of what is gone. */
  readGauges: () => Promise<void>;
}

/** The gateway's HTTP surface. */
export function buildGatewayApp({
  log,
  metrics,
  labels,
  passports,
  bodyTimeoutMs,
  knownNames,
  stack,
  status,
  readGauges,
  ...protocol
}: GatewayAppDeps): FastifyInstance {
  const originProblem = createOriginCheck(knownNames);
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
    // Who sends slowly takes a connection and memory from others.
    requestTimeout: bodyTimeoutMs,
    http: { connectionsCheckingInterval: Math.min(5_000, bodyTimeoutMs) },
    routerOptions: { maxParamLength: 256 },
  });
  app.server.headersTimeout = Math.min(app.server.headersTimeout, bodyTimeoutMs);
  app.setErrorHandler(gatewayErrorHandler(metrics));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `No endpoint matches ${request.method} ${request.url.slice(0, 200)}. See GET /v2.` }),
  );
  // Inference is answered under any Host. `/v1/` (status, labels, passports) only under the gateway's own names, so
  // that no web page reads it by DNS rebinding.
  app.addHook('onRequest', async ({ url, method, headers }) => {
    const problem = url.startsWith('/v1/') ? originProblem(requestOrigin(method, headers)) : undefined;
    if (problem !== undefined) throw problem;
  });
  app.addHook('onRequest', async (request) => {
    const stranger = whyOtherStack(stack, request.headers[stackHeader], 'This gateway');
    if (stranger !== undefined) throw new PerdureError('state/conflict', stranger);
  });
  registerProtocolEndpoints(app, protocol);
  putInferEndpointBefore(app, { ...protocol, metrics, log });
  registerLabelEndpoints(app, { service: protocol.service, labels, lookup: passports.lookup });
  registerPassportEndpoints(app, passports);
  app.get('/v1/status', status);
  app.get('/metrics', async (_request, reply) => {
    await readGauges();
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return app;
}

/**
 * Stops accepting, waits for what is under way, and ends connections as they fall idle instead of after their
 * keep-alive time.
 */
export async function closeGatewayApp(app: FastifyInstance, drainMaxMs: number): Promise<void> {
  const endIdle = setInterval(() => app.server.closeIdleConnections(), 20);
  const endAll = setTimeout(() => app.server.closeAllConnections(), drainMaxMs);
  try {
    await app.close();
  } finally {
    clearInterval(endIdle);
    clearTimeout(endAll);
  }
}
