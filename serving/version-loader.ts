import type { Logger } from 'pino';
import { digestOf } from '../domain/canonical-json.js';
import type { ServedVersion } from '../domain/route.js';
import type { ArtifactCache } from './artifact-cache.js';
import { compileContract } from './compiled-contract.js';
import { PerdureError } from '../domain/errors.js';
import type { ControlPlane } from './control-plane.js';
import type { GatewayEvents } from './gateway-events.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { InferenceEngine } from './inference-engine.js';
import type { RouteFile } from './route-file.js';
import { engineKey, type LoadedVersion, type RouteTable } from './route-table.js';

export interface VersionLoaderDeps {
  table: RouteTable;
  engine: InferenceEngine;
  artifacts: ArtifactCache;
  routeFile: RouteFile;
  controlPlane: Pick<ControlPlane, 'definitionByDigest'>;
  events: GatewayEvents;
  metrics: GatewayMetrics;
  log: Logger;
}

/** Makes registered versions ready to answer, and lets go of those that nobody asks for. */
export class VersionLoader {
  constructor(private readonly deps: VersionLoaderDeps) {}

  /** The version, loaded and warmed: its definition known, its artifact on disk with the right digest, checked and tried. @throws what stood in the way. */
  async load(served: ServedVersion): Promise<LoadedVersion> {
    const { table, engine, artifacts, routeFile, controlPlane, events, metrics, log } = this.deps;
    const { model, version, artifactSha256: sha256, definitionSha256 } = served;
    const key = engineKey(served);
    const before = table.byKey(key);
    if (before !== undefined) {
      // A new route is a new chance.
      await engine.retry(key);
      return before;
    }
    const { contract } = await routeFile.definition(definitionSha256, controlPlane.definitionByDigest);
    const path = await artifacts.pathOf(served);
    const compiled = compileContract(contract);
    const features = compiled.features.map(({ name, type }) => ({ name, type }));
    const { loadMs } = await engine
      .load({ key, path, sha256, contract, features, sampleRow: compiled.sampleRow })
      .catch((error: unknown) => {
        if (error instanceof PerdureError && error.code.startsWith('artifact/'))
          events.record({ model, version, kind: 'refused', message: error.message });
        throw error;
      });
    metrics.loadSeconds.set({ model, version: String(version) }, loadMs / 1000);
    log.info({ model, version, sha256, loadMs: Math.round(loadMs) }, 'version loaded');
    const meters = metrics.versionMeters(model, version);
    const readyAt = performance.now();
    const loaded = {
      ...{ served, key, compiled, meters, loadMs, readyAt },
      contractSha256: digestOf(contract),
      loadedAt: new Date().toISOString(),
      idleSince: readyAt,
    };
    table.add(loaded);
    return loaded;
  }

  /** Unloads versions that no route has named for `unloadAfterMs`. */
  async unloadIdle(unloadAfterMs: number): Promise<void> {
    const { table, engine, artifacts, metrics, log } = this.deps;
    const now = performance.now();
    for (const version of table.versions()) {
      if (version.idleSince === undefined || now - version.idleSince < unloadAfterMs) continue;
      const { model, version: number } = version.served;
      table.remove(version);
      await engine.unload(version.key);
      metrics.forgetVersion(
        model,
        number,
        version.compiled.features.map((feature) => feature.name),
      );
      log.info({ model, version: number }, 'version unloaded');
      // Disk space is no reason to stop serving: what cannot be removed now is tried with the next version.
      await artifacts.prune(new Set(table.versions().map((one) => one.served.artifactSha256))).catch(() => undefined);
    }
  }
}
