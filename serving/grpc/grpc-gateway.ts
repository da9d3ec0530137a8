import { Server, ServerCredentials } from '@grpc/grpc-js';
import { PerdureError } from '../../domain/errors.js';
import type { ProtocolRoutesDeps } from '../http/protocol-endpoints.js';
import type { BodyBudget } from '../http/body-budget.js';
import { callBodies } from './call-bodies.js';
import { HealthHandlers } from './health-handlers.js';
import { inferenceHandlers } from './inference-service-handlers.js';
import { reflectionHandlers } from './reflection-handlers.js';
import type { CallReport } from './unary-method.js';

export interface GrpcGateway {
  /** The port it listens on. */
  port: number;
  /** Says that it no longer serves, takes no more calls, answers those under way, and ends. */
  stop: () => Promise<void>;
}

/** Of one connection; more calls wait at the caller. */
const concurrentCallsMax = 1_000;

/** Opens the gateway's gRPC port. @throws PerdureError `environment/broken` when it cannot listen there. */
export async function openGrpcGateway(
  deps: ProtocolRoutesDeps & CallReport & { bodies: BodyBudget; bodyTimeoutMs: number; drainMaxMs: number },
  { host, port }: { host: string; port: number },
): Promise<GrpcGateway> {
  const counted = callBodies(deps);
  const server = new Server({
    interceptors: [counted.interceptor],
    'grpc.max_receive_message_length': deps.bodyBytesMax,
    'grpc.max_send_message_length': -1,
    'grpc.max_concurrent_streams': concurrentCallsMax,
    'grpc.enable_channelz': 0,
  });
  const health = new HealthHandlers(deps.isReady, deps);
  for (const { definition, handlers } of [inferenceHandlers(deps, deps), health, ...reflectionHandlers()]) {
    server.addService(definition, handlers);
  }
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, opened) =>
      error === null ? resolve(opened) : reject(cannotOpen(address, error)),
    ),
  );
  return {
    port: bound,
    stop: () =>
      new Promise((resolve) => {
        const cutOff = setTimeout(() => server.forceShutdown(), deps.drainMaxMs);
        health.stop();
        server.tryShutdown(() => {
          clearTimeout(cutOff);
          counted.stop();
          resolve();
        });
      }),
  };
}

function cannotOpen(address: string, { message }: Error): PerdureError {
  return new PerdureError(
    'environment/broken',
    `The gRPC port ${address} cannot be opened: ${message}. Stop what listens there, or set ` +
      'PERDURE_GATEWAY_GRPC_PORT to a free port.',
  );
}
