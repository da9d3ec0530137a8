import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Environment } from '../domain/names.js';
import { ArtifactCache } from './artifact-cache.js';
import type { ArtifactSource, CheckModelFile, ControlPlane } from './control-plane.js';
import { gatewayErrorHandler } from './gateway-errors.js';
import { GatewayMetrics } from './gateway-metrics.js';
import type { GatewayStatus } from './gateway-status.js';
import { InferenceService } from './inference-service.js';
import { registerLabelRoutes } from './label-routes.js';
import { createProcessEngine, type ProcessEngineOptions } from './process-engine.js';
import { registerProtocolRoutes } from './protocol-routes.js';
import { RouteFile } from './route-file.js';
import { RouteFollower } from './route-follower.js';
import { labelsOfKey, RouteTable } from './route-table.js';
import { ServingWindowCounter } from './serving-window-counter.js';
import type { ShipperOptions } from './shipper-messages.js';
import { bootIdOf, Spool } from './spool.js';
import { SpoolShipper } from './spool-shipper.js';

export interface GatewayDeps {
  gatewayId: string;
  environment: Environment;
  /** Where others reach it. */
  url: string;
  /** Cache, spool and last good routes. */
  home: string;
  productVersion: string;
  controlPlane: ControlPlane;
  artifacts: ArtifactSource;
  checkModel: CheckModelFile;
  /** Undefined: logs stay in the spool. */
  objectStore: ShipperOptions['store'] | undefined;
  log: Logger;
  limits?: Partial<GatewayLimits>;
}

export interface GatewayLimits {
  bodyBytesMax: number;
  pollEveryMs: number;
  heartbeatEveryMs: number;
  windowEveryMs: number;
  unloadAfterMs: number;
  spoolBytesMax: number;
  segmentBytesMax: number;
  predictionSegmentAgeMaxMs: number;
  labelSegmentAgeMaxMs: number;
  engine: Partial<Omit<ProcessEngineOptions, 'workFolder' | 'observer'>>;
}

const defaultLimits: GatewayLimits = {
  bodyBytesMax: 16 * 1024 * 1024,
  pollEveryMs: 1_000,
  heartbeatEveryMs: 2_000,
  windowEveryMs: 1_000,
  unloadAfterMs: 60_000,
  spoolBytesMax: 1024 * 1024 * 1024,
  segmentBytesMax: 16 * 1024 * 1024,
  predictionSegmentAgeMaxMs: 20_000,
  labelSegmentAgeMaxMs: 5_000,
  engine: {},
};

export interface Gateway {
  app: FastifyInstance;
  /** Loads what is to be served; ready to listen when the promise ends. */
  start: () => Promise<void>;
  /** Stops accepting, answers what is under way, flushes the spools and gives the lease back. */
  stop: () => Promise<void>;
  status: () => GatewayStatus;
}

/** The first look at the control plane may delay the start by this much; the gateway then serves what it has. */
const firstLookMs = 5_000;
/** Requests that are not answered by then, their deadlines included, are cut off when the gateway stops. */
const drainMaxMs = 12_000;

/** Puts a gateway together. It owns nothing that it could not lose but its spool, and needs nobody to answer once it has a route. */
export async function buildGateway(deps: GatewayDeps): Promise<Gateway> {
  const { gatewayId, environment, home, controlPlane, log, productVersion } = deps;
  const limits = { ...defaultLimits, ...deps.limits };
  const startedAt = new Date();
  const bootId = bootIdOf(gatewayId, startedAt.getTime());
  await mkdir(home, { recursive: true });

  const metrics = new GatewayMetrics(environment);
  const table = new RouteTable();
  const engine = await createProcessEngine({
    ...limits.engine,
    workFolder: path.join(home, 'inference'),
    observer: {
      batch: (key, rows) => metrics.batchRows.observe(labelsOfKey(key), rows),
      restart: (key, reason) => {
        metrics.restarts.inc(labelsOfKey(key));
        log.warn({ ...labelsOfKey(key), reason }, 'a model process ended; starting it again');
      },
    },
  });
  const spool = (name: 'predictions' | 'labels', segmentAgeMaxMs: number, whenFull: 'drop-oldest' | 'refuse') =>
    new Spool({
      folder: path.join(home, 'spool', name),
      bootId,
      segmentBytesMax: limits.segmentBytesMax,
      segmentAgeMaxMs,
      bytesMax: limits.spoolBytesMax,
      whenFull,
      flushEveryMs: 100,
      observer: {
        bytes: (bytes) => metrics.spoolBytes.set({ log: name }, bytes),
        lost: (lines, reason) => metrics.rowsLost.inc({ log: name, reason }, lines),
      },
    });
  const predictions = spool('predictions', limits.predictionSegmentAgeMaxMs, 'drop-oldest');
  const labels = spool('labels', limits.labelSegmentAgeMaxMs, 'refuse');
  const windows = new ServingWindowCounter({ gatewayId, bootId, environment });
  const follower = new RouteFollower({
    gatewayId,
    environment,
    controlPlane,
    table,
    engine,
    artifacts: new ArtifactCache(home, deps.artifacts),
    routeFile: new RouteFile(home),
    checkModel: deps.checkModel,
    metrics,
    log,
    pollEveryMs: limits.pollEveryMs,
    unloadAfterMs: limits.unloadAfterMs,
  });
  const objectStore = { connected: false };
  const shipper =
    deps.objectStore &&
    new SpoolShipper(
      {
        environment,
        spools: { predictions: path.join(home, 'spool', 'predictions'), labels: path.join(home, 'spool', 'labels') },
        workFolder: path.join(home, 'shipping'),
        everyMs: 500,
        store: deps.objectStore,
      },
      {
        shipped: ({ log: name, file, rows, torn }) => {
          (name === 'predictions' ? predictions : labels).forget(file);
          metrics.rowsShipped.inc({ log: name }, rows);
          if (torn > 0) metrics.rowsLost.inc({ log: name, reason: 'torn' }, torn);
        },
        connected: (connected) => {
          objectStore.connected = connected;
          metrics.connected.set({ system: 's3' }, connected ? 1 : 0);
        },
      },
      log,
    );
  const service = new InferenceService({
    environment,
    bootId,
    table,
    engine,
    predictions,
    windows,
    routesKnown: () => follower.storeId !== undefined,
    routeProblem: (model) => follower.problems().find((problem) => problem.model === model)?.message,
  });

  let draining = false;
  let postgresConnected = false;
  const timers: NodeJS.Timeout[] = [];
  const isReady = () => !draining && follower.storeId !== undefined;

  const status = (): GatewayStatus => {
    const processes = new Map(engine.status().map((one) => [one.key, one]));
    return {
      gatewayId,
      bootId,
      environment,
      productVersion,
      startedAt: startedAt.toISOString(),
      ready: isReady(),
      draining,
      storeId: follower.storeId ?? null,
      postgres: { connected: postgresConnected, lastContactAt: follower.contactAt ?? null },
      objectStore: { connected: objectStore.connected, lastError: shipper?.lastError ?? null },
      routes: table.routes().map(({ route: { model, epoch, split, reason, at } }) => ({ model, epoch, split, reason, at })),
      problems: follower.problems(),
      versions: table.versions().map(({ key, loadedAt, loadMs, served: { model, version, artifactSha256, definitionSha256 } }) => ({
        model,
        version,
        artifactSha256,
        definitionSha256,
        loadedAt,
        loadMs: Math.round(loadMs),
        process: processes.get(key) ?? null,
      })),
      spool: { predictions: predictions.status(), labels: labels.status() },
      servingWindowsPending: windows.pendingCount,
    };
  };

  const logger: FastifyBaseLogger = log;
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    return503OnClosing: false,
    bodyLimit: limits.bodyBytesMax,
    requestTimeout: 120_000,
    routerOptions: { maxParamLength: 256 },
  });
  app.setErrorHandler(gatewayErrorHandler(metrics));
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: `There is nothing at ${request.method} ${request.url.slice(0, 200)}. See GET /v2.` }),
  );
  registerProtocolRoutes(app, { service, table, productVersion, bodyBytesMax: limits.bodyBytesMax, isReady, isDraining: () => draining });
  registerLabelRoutes(app, { service, labels });
  app.get('/v1/status', status);
  app.get('/metrics', async (_request, reply) => {
    for (const { key, queuedRequests } of engine.status()) metrics.queued.set(labelsOfKey(key), queuedRequests);
    for (const { key, compiled } of table.versions()) {
      for (const { name, unseenLevels } of compiled.features)
        if (unseenLevels > 0) metrics.unseenLevels.set({ ...labelsOfKey(key), feature: name }, unseenLevels);
    }
    metrics.windowsPending.set(windows.pendingCount);
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  const heartbeat = async () => {
    try {
      await controlPlane.recordGateway({ gatewayId, environment, url: deps.url, bootId });
      postgresConnected = true;
    } catch {
      postgresConnected = false;
    }
  };
  const sendWindows = () => windows.flush((batch) => controlPlane.insertServingWindows(batch)).catch(() => undefined);

  return {
    app,
    status,
    async start() {
      await Promise.all([predictions.start(), labels.start()]);
      shipper?.start();
      await withDeadline(follower.start(), 60_000);
      if (follower.storeId === undefined) await withDeadline(follower.settled(), firstLookMs);
      timers.push(everyUnlessBusy(limits.heartbeatEveryMs, heartbeat), everyUnlessBusy(limits.windowEveryMs, sendWindows));
      void heartbeat();
      await app.ready();
    },
    async stop() {
      draining = true;
      for (const timer of timers) clearInterval(timer);
      await closeServer(app);
      await follower.stop();
      await Promise.all([predictions.close(), labels.close()]);
      await withDeadline(Promise.all([sendWindows(), controlPlane.forgetGateway(gatewayId).catch(() => undefined)]), 3_000);
      shipper?.stop();
      await engine.close();
    },
  };
}

/** Stops accepting, waits for what is under way, and ends connections as they fall idle instead of after their keep-alive time. */
async function closeServer(app: FastifyInstance): Promise<void> {
  const endIdle = setInterval(() => app.server.closeIdleConnections(), 20);
  const endAll = setTimeout(() => app.server.closeAllConnections(), drainMaxMs);
  try {
    await app.close();
  } finally {
    clearInterval(endIdle);
    clearTimeout(endAll);
  }
}

function everyUnlessBusy(everyMs: number, work: () => Promise<unknown>): NodeJS.Timeout {
  let busy = false;
  return setInterval(() => {
    if (busy) return;
    busy = true;
    void work().finally(() => {
      busy = false;
    });
  }, everyMs);
}

async function withDeadline(work: Promise<unknown>, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([
    work,
    new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    }),
  ]);
  clearTimeout(timer);
}
