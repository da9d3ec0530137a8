import type { FastifyInstance } from 'fastify';
import { buildGatewayApp, closeGatewayApp } from './http/gateway-app.js';
import type { GrpcGateway } from './grpc/grpc-gateway.js';
import { assembleGateway, type GatewayDeps } from './assemble-gateway.js';
import { routeStatus, versionStatus, type GatewayStatus } from './gateway-status.js';

export type { GatewayDeps } from './assemble-gateway.js';

export interface Gateway {
  app: FastifyInstance;
  /** Loads what is to be served; ready to listen when the promise ends. */
  start: () => Promise<void>;
  /** Opens the gRPC port, which serves what `app` serves. @returns the port, for one that was given as 0. */
  listenGrpc: (address: { host: string; port: number }) => Promise<number>;
  /** Stops accepting, answers what is under way, flushes the spools and gives the lease back. */
  stop: () => Promise<void>;
  status: () => GatewayStatus;
}

/**
 * A gateway that has not begun yet. It owns nothing that it could not lose but its spool, and needs nobody to answer
 * once it has a route.
 */
export async function buildGateway(deps: GatewayDeps): Promise<Gateway> {
  const { environment, gatewayId, productVersion, log } = deps;
  const parts = await assembleGateway(deps);
  const { limits, bootId, startedAt, metrics, table, engine, logs, windows, bodies, follower, heartbeat } = parts;
  const { service, shadows, lookup, keyDigests } = parts;

  let draining = false;
  const isReady = () => !draining && follower.storeId !== undefined;
  const status = (): GatewayStatus => ({
    ...{ gatewayId, bootId, environment, productVersion, draining },
    startedAt: startedAt.toISOString(),
    ready: isReady(),
    storeId: follower.storeId ?? null,
    postgres: { connected: heartbeat.connected, lastContactAt: follower.contactAt ?? null },
    routes: routeStatus(table.routes()),
    problems: follower.problems(),
    unconfirmed: follower.unconfirmed,
    versions: versionStatus(table.versions(), engine.status()),
    ...logs.status(),
    servingWindowsPending: windows.pendingCount,
  });
  const protocol = {
    ...{ log, metrics, service, table, productVersion, bodies, isReady },
    bodyBytesMax: limits.bodyBytesMax,
    bodyTimeoutMs: limits.bodyTimeoutMs,
    drainMaxMs: limits.drainMaxMs,
    isDraining: () => draining,
    problems: () => follower.problems(),
    unconfirmed: () => follower.unconfirmed.map(({ model }) => model),
    outOfService: engine.outOfService,
  };
  const app = buildGatewayApp({
    ...protocol,
    labels: logs.labels,
    passports: { lookup, controlPlane: deps.controlPlane, table, predictions: logs.predictions, keyDigests },
    stack: deps.stack,
    knownNames: [new URL(deps.url).host, ...(deps.knownNames ?? [])],
    status,
    readGauges: async () => {
      metrics.read(table.versions(), engine.status());
      await metrics.removeUnnamed(
        (model, version) =>
          table.names(model, version) ||
          (version === undefined && follower.problems().some((one) => one.model === model)),
      );
      metrics.windowsPending.set(windows.pendingCount);
      metrics.bodyBytes.set(bodies.bytes);
    },
  });
  let grpc: GrpcGateway | undefined;

  return {
    app,
    status,
    async start() {
      await logs.start();
      await withDeadline(follower.start(), limits.loadKeptMaxMs);
      if (follower.storeId === undefined) await withDeadline(follower.settled(), limits.firstLookMaxMs);
      heartbeat.start();
      await app.ready();
      logs.ship();
    },
    async listenGrpc(address) {
      // It takes a while to load, and some gateways have no use for it.
      const { openGrpcGateway } = await import('./grpc/grpc-gateway.js');
      grpc = await openGrpcGateway(protocol, address);
      return grpc.port;
    },
    async stop() {
      draining = true;
      await Promise.all([closeGatewayApp(app, limits.drainMaxMs), grpc?.stop()]);
      shadows.stop();
      lookup.stop();
      await follower.stop();
      await Promise.all([logs.stop(), heartbeat.stop()]);
      await engine.close();
    },
  };
}

async function withDeadline(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, deadlineMs);
  });
  await Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
