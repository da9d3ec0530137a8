import type { FastifyInstance } from 'fastify';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Environment } from '../domain/names.js';
import type { StackStamp } from '../domain/stack-stamp.js';
import { ArtifactCache } from './routing/artifact-cache.js';
import { BodyBudget } from './http/body-budget.js';
import type { ArtifactSource, ControlPlane } from './control-plane/control-plane.js';
import { buildGatewayApp, closeGatewayApp } from './http/gateway-app.js';
import { GatewayEvents } from './telemetry/gateway-events.js';
import { GatewayHeartbeat } from './control-plane/gateway-heartbeat.js';
import type { GrpcGateway } from './grpc/grpc-gateway.js';
import { defaultGatewayLimits, type GatewayLimits } from './gateway-limits.js';
import { GatewayMetrics } from './telemetry/gateway-metrics.js';
import { routeStatus, versionStatus, type GatewayStatus } from './gateway-status.js';
import { InferenceService } from './inference/inference-service.js';
import { createProcessEngine } from '../inference/process-engine.js';
import { PredictionLookup } from './prediction-lookup/prediction-lookup.js';
import { KeyDigests } from './routing/key-digest.js';
import { LastGoodRoutes } from './routing/last-good-routes.js';
import { RouteAcknowledger } from './routing/route-acknowledger.js';
import { RouteActivator } from './routing/route-activator.js';
import { RouteFile } from './routing/route-file.js';
import { RouteFollower } from './routing/route-follower.js';
import { labelsOfKey, RouteTable, versionOfKey } from './routing/route-table.js';
import { ServingLogs } from './prediction-log/serving-logs.js';
import { ServingWindowCounter } from './telemetry/serving-window-counter.js';
import type { ShipperOptions } from './prediction-log/shipper-messages.js';
import { ShadowTraffic } from './inference/shadow-traffic.js';
import { bootIdOf } from './prediction-log/spool.js';
import { VersionLoader } from './routing/version-loader.js';

export interface GatewayDeps {
  gatewayId: string;
  environment: Environment;
  /** Where others reach it. */
  url: string;
  /** Cache, spool and last good routes. */
  home: string;
  /** Requests that are meant for another stack are refused; undefined: none is. */
  stack?: StackStamp | undefined;
  productVersion: string;
  controlPlane: ControlPlane;
  artifacts: ArtifactSource;
  /** Undefined: logs stay in the spool. */
  objectStore: ShipperOptions['store'] | undefined;
  /** Of the installation: stands behind the hashes of keys in logs. */
  keyHashSecret: string;
  /** Names beside those of the loopback interface and of `url` under which it is called. */
  knownNames?: readonly string[];
  log: Logger;
  limits?: Partial<GatewayLimits>;
}

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

/** Loading the routes kept on disk may delay the start by this much; what is not loaded by then comes later. */
const loadKeptMs = 60_000;
/** The first look at the control plane may delay the start by this much, where nothing is known without it. */
const firstLookMs = 5_000;

/**
 * Puts a gateway together. It owns nothing that it could not lose but its spool, and needs nobody to answer once it has
 * a route.
 */
export async function buildGateway(deps: GatewayDeps): Promise<Gateway> {
  const { gatewayId, environment, home, controlPlane, log, productVersion } = deps;
  const limits = { ...defaultGatewayLimits, ...deps.limits };
  const startedAt = new Date();
  const bootId = bootIdOf(gatewayId, startedAt.getTime());
  await mkdir(home, { recursive: true });

  const metrics = new GatewayMetrics(environment);
  const table = new RouteTable();
  const gateway = { gatewayId, environment, url: deps.url, bootId };
  const events = new GatewayEvents({ gateway, metrics, log });
  const engine = await createProcessEngine({
    ...limits.engine,
    workFolder: path.join(home, 'inference'),
    observer: {
      batch: (key, rows) => metrics.batchRows.observe(labelsOfKey(key), rows),
      restart: (key, reason) => {
        metrics.restarts.inc(labelsOfKey(key));
        log.warn({ ...labelsOfKey(key), reason }, 'a model process ended');
      },
      outOfService: (key, message) => events.record({ ...versionOfKey(key), kind: 'out-of-service', message }),
      backInService: (key) =>
        events.record({ ...versionOfKey(key), kind: 'back-in-service', message: 'its process answers again' }),
    },
  });
  const logs = new ServingLogs({
    home,
    bootId,
    environment,
    objectStore: deps.objectStore,
    limits,
    metrics,
    events,
    log,
  });
  const windows = new ServingWindowCounter({ gatewayId, bootId, environment });
  const routeFile = new RouteFile(home);
  const artifacts = new ArtifactCache(home, deps.artifacts);
  const loader = new VersionLoader({ table, engine, artifacts, routeFile, controlPlane, events, metrics, log });
  const { pollEveryMs, unloadAfterMs, heartbeatEveryMs, windowEveryMs, bodyBytesMax, bodyTimeoutMs } = limits;
  const bodies = new BodyBudget(Math.max(limits.bodiesBytesMax, 2 * bodyBytesMax)); // One body always fits.
  const kept = new LastGoodRoutes(routeFile);
  const acknowledger = new RouteAcknowledger({ gatewayId, environment, controlPlane, log });
  const activator = new RouteActivator({
    table,
    loader,
    kept,
    acknowledger,
    windows,
    metrics,
    log,
    coldStartMs: limits.coldStartMs,
  });
  const following = {
    environment,
    controlPlane,
    table,
    loader,
    kept,
    activator,
    events,
    metrics,
    log,
    pollEveryMs,
    unloadAfterMs,
  };
  const follower = new RouteFollower(following);
  const lease = new GatewayHeartbeat({ gateway, controlPlane, windows, events, heartbeatEveryMs, windowEveryMs });
  const keyDigests = new KeyDigests(deps.keyHashSecret);
  const shadows = new ShadowTraffic({
    environment,
    engine,
    predictions: logs.predictions,
    keyDigests,
    limits: limits.shadow,
  });
  const service = new InferenceService({
    environment,
    bootId,
    table,
    engine,
    predictions: logs.predictions,
    keyDigests,
    shadows,
    onRefusal: (refusing, refused) => events.recordRefusal(refusing, refused),
    routesKnown: () => follower.storeId !== undefined,
    routeProblem: (model) => follower.problems().find((problem) => problem.model === model)?.message,
  });

  const lookup = new PredictionLookup({
    environment,
    spools: logs.folders,
    folder: path.join(path.resolve(home), 'passports'),
    objectStore: deps.objectStore,
  });

  let draining = false;
  const isReady = () => !draining && follower.storeId !== undefined;
  const status = (): GatewayStatus => ({
    gatewayId,
    bootId,
    environment,
    productVersion,
    startedAt: startedAt.toISOString(),
    ready: isReady(),
    draining,
    storeId: follower.storeId ?? null,
    postgres: { connected: lease.connected, lastContactAt: follower.contactAt ?? null },
    routes: routeStatus(table.routes()),
    problems: follower.problems(),
    unconfirmed: follower.unconfirmed,
    versions: versionStatus(table.versions(), engine.status()),
    ...logs.status(),
    servingWindowsPending: windows.pendingCount,
  });
  const readGauges = async () => {
    metrics.read(table.versions(), engine.status());
    await metrics.removeUnnamed(
      (model, version) =>
        table.names(model, version) ||
        (version === undefined && follower.problems().some((one) => one.model === model)),
    );
    metrics.windowsPending.set(windows.pendingCount);
    metrics.bodyBytes.set(bodies.bytes);
  };
  const isDraining = () => draining;
  const problems = () => follower.problems();
  const protocol = {
    log,
    metrics,
    service,
    table,
    productVersion,
    bodyBytesMax,
    bodyTimeoutMs,
    bodies,
    isReady,
    isDraining,
    problems,
    unconfirmed: () => follower.unconfirmed.map(({ model }) => model),
    outOfService: engine.outOfService,
  };
  const passports = { lookup, controlPlane, table, predictions: logs.predictions, keyDigests };
  const app = buildGatewayApp({
    ...protocol,
    labels: logs.labels,
    passports,
    stack: deps.stack,
    knownNames: [new URL(deps.url).host, ...(deps.knownNames ?? [])],
    status,
    readGauges,
  });
  let grpc: GrpcGateway | undefined;

  return {
    app,
    status,
    async start() {
      await logs.start();
      await withDeadline(follower.start(), loadKeptMs);
      if (follower.storeId === undefined) await withDeadline(follower.settled(), firstLookMs);
      lease.start();
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
      await Promise.all([closeGatewayApp(app), grpc?.stop()]);
      shadows.stop();
      lookup.stop();
      await follower.stop();
      await Promise.all([logs.stop(), lease.stop()]);
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
