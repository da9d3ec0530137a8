import type { Logger } from 'pino';
import { digestOf } from '../../domain/canonical-json.js';
import { PerdureError } from '../../domain/errors.js';
import type { Contract } from '../../domain/data/contract.js';
import { labelReader } from '../../domain/serving/received-label.js';
import type { FormerVersion, ServedVersion } from '../../domain/serving/route.js';
import type { ArtifactCache } from './artifact-cache.js';
import { answerShape } from '../protocol/answer-shape.js';
import { compileContract } from '../../inference/compiled-contract.js';
import type { ControlPlane } from '../control-plane/control-plane.js';
import type { GatewayEvents } from '../telemetry/gateway-events.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { InferenceEngine } from '../../inference/inference-engine.js';
import type { RouteFile } from './route-file.js';
import type { LoadedVersion } from './loaded-version.js';
import { engineKey, type RouteTable } from './route-table.js';

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
  /** By engine key. */
  private readonly loading = new Map<string, { served: ServedVersion; loaded: Promise<LoadedVersion> }>();
  private closed = false;

  constructor(private readonly deps: VersionLoaderDeps) {}

  /**
   * The version, loaded and warmed: its definition known, its artifact on disk with the right digest, checked and
   * tried. It is held, and not unloaded, until it is released. Several routes that want it at once share one load.
   * @throws what stood in the way.
   */
  async load(served: ServedVersion): Promise<LoadedVersion> {
    const key = engineKey(served);
    let version = this.deps.table.byKey(key);
    if (version !== undefined) {
      // What an earlier release kept lacks the threshold.
      if (served.threshold !== undefined) version.served = served;
      await this.deps.engine.retry(key); // A new route is a new chance.
    } else {
      let under = this.loading.get(key);
      if (under === undefined) {
        under = {
          served,
          loaded: this.bringUp(served, key).finally(() => this.loading.delete(key)),
        };
        this.loading.set(key, under);
      }
      version = await under.loaded;
    }
    version.holds += 1;
    return version;
  }

  /** The contracts of versions that are not to answer. One that cannot be had is left out: no route waits for it. */
  async contractsOf(former: readonly FormerVersion[]): Promise<Contract[]> {
    const { routeFile, controlPlane, log } = this.deps;
    const found = former.map(({ model, version, definitionSha256 }) =>
      routeFile.definition(definitionSha256, controlPlane.definitionByDigest).then(
        ({ contract }) => [contract],
        (error: unknown) => {
          log.warn({ model, version, err: error }, 'the contract of an earlier route is unknown');
          return [];
        },
      ),
    );
    return (await Promise.all(found)).flat();
  }

  release(version: LoadedVersion): void {
    version.holds -= 1;
  }

  /** Nothing is loaded from now on: the engine is about to close. */
  close(): void {
    this.closed = true;
  }

  /** A file or a definition that cannot be served is an event, wherever that was found: fetching, checking, trying. */
  private async bringUp(served: ServedVersion, key: string): Promise<LoadedVersion> {
    try {
      return await this.makeReady(served, key);
    } catch (error) {
      const { model, version } = served;
      if (error instanceof PerdureError && /^(artifact|definition)\//.test(error.code))
        this.deps.events.record({ model, version, kind: 'refused', message: error.message });
      throw error;
    }
  }

  private async makeReady(served: ServedVersion, key: string): Promise<LoadedVersion> {
    const { table, engine, artifacts, routeFile, controlPlane, metrics, log } = this.deps;
    const { model, version, artifactSha256: sha256, definitionSha256, classes } = served;
    const { contract, monitoring, task } = await routeFile.definition(
      definitionSha256,
      controlPlane.definitionByDigest,
    );
    const path = await artifacts.pathOf(served);
    const compiled = compileContract(contract);
    const features = compiled.features.map(({ name, type, inputs }) => ({ name, type, inputs }));
    if (this.closed) throw new PerdureError('serving/overloaded', 'The gateway is stopping.');
    const { sampleRow } = compiled;
    const { loadMs } = await engine.load({
      key,
      path,
      sha256,
      promised: { contract, task, classes },
      features,
      sampleRow,
    });
    log.info({ model, version, sha256, loadMs: Math.round(loadMs) }, 'version loaded');
    const meters = metrics.versionMeters(model, version);
    const readyAt = performance.now();
    const loaded = {
      ...{ served, key, contract, monitoring, compiled, meters, loadMs, readyAt },
      shape: answerShape({ contract, task }, classes),
      readLabel: labelReader({ contract, task }, classes),
      contractSha256: digestOf(contract),
      loadedAt: new Date().toISOString(),
      idleSince: readyAt,
      holds: 0,
    };
    table.add(loaded);
    return loaded;
  }

  /** Unloads versions that no route has named for `unloadAfterMs`. */
  async unloadIdle(unloadAfterMs: number): Promise<void> {
    const { table, engine, artifacts, routeFile, metrics, log } = this.deps;
    const now = performance.now();
    for (const version of table.versions()) {
      if (version.holds > 0 || version.idleSince === undefined || now - version.idleSince < unloadAfterMs) continue;
      const { model, version: number } = version.served;
      table.remove(version);
      await engine.unload(version.key);
      await metrics.forgetVersion(model, number);
      log.info({ model, version: number }, 'version unloaded');
      // Disk space is no reason to stop serving: what cannot be removed now is tried with the next version.
      const needed = [...table.versions(), ...this.loading.values()].map((one) => one.served);
      await artifacts.prune(new Set(needed.map((one) => one.artifactSha256))).catch(() => undefined);
      await routeFile.prune(new Set(needed.map((one) => one.definitionSha256))).catch(() => undefined);
    }
  }
}
