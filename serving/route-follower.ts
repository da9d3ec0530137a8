import type { Logger } from 'pino';
import { PerdureError } from '../domain/errors.js';
import type { Environment } from '../domain/names.js';
import { versionsOfRoute, type Route } from '../domain/route.js';
import { activateRoute } from './active-route.js';
import type { ControlPlane, RouteState } from './control-plane.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { RouteFile } from './route-file.js';
import type { LoadedVersion, RouteTable } from './route-table.js';
import type { ServingWindowCounter } from './serving-window-counter.js';
import type { VersionLoader } from './version-loader.js';

export interface RouteFollowerDeps {
  gatewayId: string;
  environment: Environment;
  controlPlane: ControlPlane;
  table: RouteTable;
  loader: VersionLoader;
  routeFile: RouteFile;
  metrics: GatewayMetrics;
  log: Logger;
  pollEveryMs: number;
  /** How long a version that no route names stays loaded, for requests by explicit version and for a quick way back. */
  unloadAfterMs: number;
  windows: ServingWindowCounter;
  /** How long a model counts as cold after a route brought in a version that was just loaded. */
  coldStartMs: number;
}

interface Failure {
  storeId: string;
  epoch: number;
  message: string;
  attempts: number;
  retryAt: number;
}

const retryMaxMs = 30_000;

/** Brings the routes of the control plane into force: load, keep on disk, swap, acknowledge, in that order, one model apart from another. */
export class RouteFollower {
  /** Undefined until routes are known, from the control plane or from disk. */
  storeId: string | undefined;
  /** When the control plane last answered. */
  contactAt: string | undefined;
  private readonly acknowledged = new Map<string, string>();
  private readonly failures = new Map<string, Failure>();
  private running: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => Promise<void>) | undefined;
  private stopped = false;
  private keeping: Promise<void> = Promise.resolve();
  /** The store that was last found emptied, so that it is said once. */
  private emptiedStoreId: string | undefined;

  constructor(private readonly deps: RouteFollowerDeps) {}

  /** Serves the routes last kept on disk, if any, then follows the control plane for ever. */
  async start(): Promise<void> {
    const kept = await this.deps.routeFile.read();
    if (kept !== undefined) {
      await Promise.all(kept.routes.map((route) => this.putInForce(kept, route, false)));
      this.storeId = kept.storeId;
      this.deps.log.info({ routes: kept.routes.length, serving: this.deps.table.routes().length }, 'serving the routes kept on disk');
    }
    this.timer = setInterval(() => this.wake(), this.deps.pollEveryMs);
    void this.listen();
    this.wake();
  }

  /** Looks at the control plane now; a look under way is followed by another. */
  wake(): void {
    if (this.stopped) return;
    if (this.running !== undefined) {
      this.again = true;
      return;
    }
    this.running = this.follow().finally(() => {
      this.running = undefined;
      if (this.again) {
        this.again = false;
        this.wake();
      }
    });
  }

  /** When the look at the control plane that is under way has ended. */
  async settled(): Promise<void> {
    await this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.stopListening?.().catch(() => undefined);
    await this.running;
  }

  /** Problems that keep routes from being put in force, for people to read. */
  problems(): { model: string; epoch: number; message: string; attempts: number }[] {
    return [...this.failures].map(([model, { epoch, message, attempts }]) => ({ model, epoch, message, attempts }));
  }

  private async listen(): Promise<void> {
    while (!this.stopped && this.stopListening === undefined) {
      try {
        this.stopListening = await this.deps.controlPlane.onRouteChange(() => this.wake());
        if (this.stopped) await this.stopListening();
      } catch {
        // Polling stands in meanwhile.
        await new Promise((resolve) => setTimeout(resolve, this.deps.pollEveryMs).unref());
      }
    }
  }

  private async follow(): Promise<void> {
    const { controlPlane, environment, table, loader, metrics, log } = this.deps;
    let state: RouteState;
    try {
      state = await controlPlane.routeState(environment);
      metrics.connected.set({ system: 'postgres' }, 1);
      this.contactAt = new Date().toISOString();
    } catch (error) {
      log.debug({ err: error }, 'the control plane is away; serving on');
      metrics.connected.set({ system: 'postgres' }, 0);
      return;
    }
    if (this.isEmptied(state)) return;
    await Promise.all(state.routes.map((route) => this.advance(state, route)));
    if (this.storeId !== undefined && this.storeId !== state.storeId) {
      log.warn({ from: this.storeId, to: state.storeId }, 'the routes come from another store; replacing all');
      const named = new Set(state.routes.map((route) => route.model));
      for (const { route } of table.routes()) if (!named.has(route.model)) table.drop(route.model);
      await this.keep(state);
    }
    this.storeId = state.storeId;
    await loader.unloadIdle(this.deps.unloadAfterMs);
  }

  /** Another store that knows no route at all is a database that lost its rows, not a wish to serve nothing: the last good routes stay. */
  private isEmptied(state: RouteState): boolean {
    const emptied =
      this.storeId !== undefined && this.storeId !== state.storeId && state.routes.length === 0 && this.deps.table.routes().length > 0;
    if (emptied && this.emptiedStoreId !== state.storeId) {
      this.deps.log.warn(
        { from: this.storeId, to: state.storeId },
        'another store has no routes at all; serving the last good ones until it has some',
      );
    }
    this.emptiedStoreId = emptied ? state.storeId : undefined;
    return emptied;
  }

  private async advance(state: RouteState, route: Route): Promise<void> {
    const { table } = this.deps;
    const current = table.route(route.model)?.route;
    if (current === undefined || current.storeId !== route.storeId || current.epoch < route.epoch) {
      const failure = this.failures.get(route.model);
      const known = failure?.epoch === route.epoch && failure.storeId === route.storeId;
      if (!known || failure.retryAt <= performance.now()) await this.putInForce(state, route, true);
    }
    await this.acknowledge(route);
  }

  private async putInForce(state: RouteState, route: Route, persist: boolean): Promise<void> {
    const { table, loader, metrics, log } = this.deps;
    const { model, epoch } = route;
    try {
      const versions = new Map<number, LoadedVersion>();
      for (const version of versionsOfRoute(route)) {
        const served = state.versions.find((one) => one.model === model && one.version === version);
        if (served === undefined)
          throw new PerdureError('not-found', `The route of ${model} names version ${version}, which is not registered.`);
        versions.set(version, await loader.load(served));
      }
      if (persist) await this.keep(state, route);
      this.markCold(route, versions);
      if (!table.swap(activateRoute(route, versions, this.deps.windows))) return;
      metrics.routeEpoch.set({ model }, epoch);
      this.failures.delete(model);
      log.info({ model, epoch, split: route.split }, 'route in force');
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const before = this.failures.get(model);
      const attempts = (before?.epoch === epoch && before.storeId === route.storeId ? before.attempts : 0) + 1;
      const retryAt = performance.now() + Math.min(retryMaxMs, 500 * 2 ** attempts);
      this.failures.set(model, { storeId: route.storeId, epoch, message, attempts, retryAt });
      metrics.routeErrors.inc({ model });
      log.error({ model, epoch, attempts, err: error }, 'route not in force; the last one serves on');
    }
  }

  /** A version that was just loaded has cold caches, and loading it took the processor from the others: none of them is judged by the next moments. */
  private markCold({ model }: Route, versions: ReadonlyMap<number, LoadedVersion>): void {
    const { table, windows, coldStartMs } = this.deps;
    const now = performance.now();
    const before = new Set(table.route(model)?.versions.values());
    const isFresh = (version: LoadedVersion) => !before.has(version) && now - version.readyAt < coldStartMs;
    if ([...versions.values()].some(isFresh)) windows.markCold(model, now + coldStartMs);
  }

  /** Keeps on disk what is in force, with `next` in its place; before it is in force, so that an acknowledged epoch outlives a crash. */
  private async keep({ storeId, versions }: RouteState, next?: Route): Promise<void> {
    const { table, routeFile } = this.deps;
    const inForce = table.routes().map(({ route }) => route);
    const routes = [
      ...inForce.filter((route) => route.model !== next?.model && route.storeId === storeId),
      ...(next === undefined ? [] : [next]),
    ];
    const served = [...versions, ...table.versions().map((one) => one.served)];
    const named = routes.flatMap((route) =>
      versionsOfRoute(route).flatMap((version) => served.find((one) => one.model === route.model && one.version === version) ?? []),
    );
    const written = this.keeping.then(() => routeFile.write({ storeId, routes, versions: named }));
    this.keeping = written.catch(() => undefined);
    await written;
  }

  private async acknowledge(route: Route): Promise<void> {
    const { controlPlane, gatewayId, environment, table, log } = this.deps;
    const { model, storeId } = route;
    const failure = this.failures.get(model);
    const current = table.route(model)?.route;
    const said = failure === undefined ? `${current?.storeId} ${current?.epoch}` : `${failure.storeId} ${failure.epoch} ${failure.message}`;
    if (this.acknowledged.get(model) === said) return;
    if (failure === undefined && current === undefined) return;
    try {
      const epoch = failure?.epoch ?? current?.epoch ?? route.epoch;
      await controlPlane.acknowledgeRoute({ gatewayId, environment, model, storeId, epoch, ...(failure && { error: failure.message }) });
      this.acknowledged.set(model, said);
    } catch (error) {
      log.warn({ model, err: error }, 'route not acknowledged yet');
    }
  }
}
