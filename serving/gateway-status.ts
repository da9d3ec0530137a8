import type { EngineModelStatus } from '../inference/inference-engine.js';
import type { Route } from '../domain/serving/route.js';
import type { ActiveRoute } from './routing/active-route.js';
import type { LoadedVersion } from './routing/loaded-version.js';

/** What `GET /v1/status` answers. */
export interface GatewayStatus {
  gatewayId: string;
  bootId: string;
  environment: string;
  productVersion: string;
  startedAt: string;
  ready: boolean;
  draining: boolean;
  /** Null until routes are known. */
  storeId: string | null;
  postgres: { connected: boolean; lastContactAt: string | null };
  objectStore: { connected: boolean; lastError: string | null };
  routes: (Pick<Route, 'model' | 'epoch' | 'split' | 'shadows' | 'standby' | 'reason' | 'at'> & {
    /** Keys are counted and values left out: they may be customers' ids. */
    overrides: { version: number; keys: number; headers: string[] }[];
  })[];
  /** Routes that could not be put in force; what was served before is still served. */
  problems: { model: string; epoch: number; message: string; attempts: number }[];
  /** Models served although the database has no route for them. */
  unconfirmed: Pick<Route, 'model' | 'epoch' | 'storeId'>[];
  versions: {
    model: string;
    version: number;
    artifactSha256: string;
    definitionSha256: string;
    loadedAt: string;
    loadMs: number;
    process: EngineModelStatus | null;
  }[];
  spool: Record<'predictions' | 'labels', { bytes: number; segments: number; writable: boolean }>;
  servingWindowsPending: number;
}

/** Routes in force. */
export function routeStatus(active: readonly ActiveRoute[]): GatewayStatus['routes'] {
  return active.map(({ route: { model, epoch, split, shadows, standby, overrides, reason, at } }) => ({
    ...{ model, epoch, split, shadows, standby, reason, at },
    overrides: overrides.map(({ version, keys, headers }) => ({
      version,
      keys: keys.length,
      headers: headers.map(({ name }) => name),
    })),
  }));
}

/** Loaded versions with the state of their processes. */
export function versionStatus(
  versions: readonly LoadedVersion[],
  models: readonly EngineModelStatus[],
): GatewayStatus['versions'] {
  const processes = new Map(models.map((one) => [one.key, one]));
  return versions.map(({ key, loadedAt, loadMs, served: { model, version, artifactSha256, definitionSha256 } }) => ({
    model,
    version,
    artifactSha256,
    definitionSha256,
    loadedAt,
    loadMs: Math.round(loadMs),
    process: processes.get(key) ?? null,
  }));
}
