import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from 'pino';
import type { Environment } from '../domain/names.js';
import type { StackIdentity } from '../domain/stack-identity.js';
import { ArtifactCache } from './routing/artifact-cache.js';
import { BodyBudget } from './http/body-budget.js';
import type { ArtifactSource, ControlPlane } from './control-plane/control-plane.js';
import { GatewayEvents } from './telemetry/gateway-events.js';
import { GatewayHeartbeat } from './control-plane/gateway-heartbeat.js';
import { defaultGatewayLimits, type GatewayLimits } from './gateway-limits.js';
import { GatewayMetrics } from './telemetry/gateway-metrics.js';
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
  stack?: StackIdentity | undefined;
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

/**
 * The parts of a gateway, each made with those that it needs: what it counts and tells, the models that answer, what
 * it logs, how routes come into force, and who answers a request.
 */
export async function assembleGateway(deps: GatewayDeps) {
  const { gatewayId, environment, home, controlPlane, log } = deps;
  const limits = { ...defaultGatewayLimits, ...deps.limits };
  const { pollEveryMs, unloadAfterMs, heartbeatEveryMs, windowEveryMs, bodyBytesMax } = limits;
  const startedAt = new Date();
  const bootId = bootIdOf(gatewayId, startedAt.getTime());
  await mkdir(home, { recursive: true });

  const gateway = { gatewayId, environment, url: deps.url, bootId };
  const metrics = new GatewayMetrics(environment);
  const events = new GatewayEvents({ gateway, metrics, log });
  const windows = new ServingWindowCounter({ gatewayId, bootId, environment });
  const table = new RouteTable();
  const engine = await openEngine(
    { ...limits.engine, workFolder: path.join(home, 'inference') },
    deps,
    metrics,
    events,
  );
  const { objectStore } = deps;
  const logs = new ServingLogs({ home, bootId, environment, objectStore, limits, metrics, events, log });

  const routeFile = new RouteFile(home);
  const artifacts = new ArtifactCache(home, deps.artifacts);
  const loader = new VersionLoader({ table, engine, artifacts, routeFile, controlPlane, events, metrics, log });
  const kept = new LastGoodRoutes(routeFile);
  const acknowledger = new RouteAcknowledger({ gatewayId, environment, controlPlane, log });
  const { coldStartMs } = limits;
  const activator = new RouteActivator({ table, loader, kept, acknowledger, windows, metrics, log, coldStartMs });
  const follower = new RouteFollower({
    ...{ environment, controlPlane, table, loader, kept, activator, events, metrics, log },
    ...{ pollEveryMs, unloadAfterMs },
  });
  const heartbeat = new GatewayHeartbeat({ gateway, controlPlane, windows, events, heartbeatEveryMs, windowEveryMs });

  const keyDigests = new KeyDigests(deps.keyHashSecret);
  const { predictions } = logs;
  const shadows = new ShadowTraffic({ environment, engine, predictions, keyDigests, limits: limits.shadow });
  const service = new InferenceService({
    ...{ environment, bootId, table, engine, predictions, keyDigests, shadows },
    onRefusal: (refusing, refused) => events.recordRefusal(refusing, refused),
    routesKnown: () => follower.storeId !== undefined,
    routeProblem: (model) => follower.problems().find((problem) => problem.model === model)?.message,
  });
  const folder = path.join(path.resolve(home), 'passports');
  const lookup = new PredictionLookup({ environment, spools: logs.folders, folder, objectStore });
  const bodies = new BodyBudget(Math.max(limits.bodiesBytesMax, 2 * bodyBytesMax)); // One body always fits.

  return {
    ...{ limits, bootId, startedAt, metrics, table, engine, logs, windows, bodies },
    ...{ follower, heartbeat, service, shadows, lookup, keyDigests },
  };
}

/** The model processes, whose ends and returns are counted and told. */
function openEngine(
  options: Omit<Parameters<typeof createProcessEngine>[0], 'observer'>,
  { log }: GatewayDeps,
  metrics: GatewayMetrics,
  events: GatewayEvents,
) {
  return createProcessEngine({
    ...options,
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
}
