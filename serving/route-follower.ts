import type { Logger } from 'pino';
import type { Environment } from '../domain/names.js';
import type { ControlPlane, RouteState } from './control-plane.js';
import type { GatewayMetrics } from './gateway-metrics.js';
import type { KeptRoutes } from './kept-routes.js';
import type { RouteActivator } from './route-activator.js';
import type { RouteProblem } from './route-failures.js';
import type { RouteTable } from './route-table.js';
import type { VersionLoader } from './version-loader.js';

export interface RouteFollowerDeps {
  environment: Environment;
  controlPlane: ControlPlane;
  table: RouteTable;
  loader: VersionLoader;
  kept: KeptRoutes;
  activator: RouteActivator;
  metrics: GatewayMetrics;
  log: Logger;
  pollEveryMs: number;
  /** How long a version that no route names stays loaded, for requests by explicit version and for a quick way back. */
  unloadAfterMs: number;
}

/** Looks at the routes of the control plane when it says that they changed, and every so often, and has them brought into force. */
export class RouteFollower {
  /** Undefined until routes are known, from the control plane or from disk. */
  storeId: string | undefined;
  /** When the control plane last answered. */
  contactAt: string | undefined;
  private running: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => Promise<void>) | undefined;
  private stopped = false;
  /** The routes that the first look found, brought into force or not. */
  private firstRoutes: Promise<void> = Promise.resolve();
  /** The store that was last found emptied, so that it is said once. */
  private emptiedStoreId: string | undefined;

  constructor(private readonly deps: RouteFollowerDeps) {}

  /** Serves the routes last kept on disk, if any, then follows the control plane for ever. */
  async start(): Promise<void> {
    const { kept, activator, table, log, pollEveryMs } = this.deps;
    const state = await kept.read();
    if (state !== undefined) {
      await Promise.all(state.routes.map((route) => activator.advance(state, route, 'disk')));
      this.storeId = state.storeId;
      log.info({ routes: state.routes.length, serving: table.routes().length }, 'serving the routes kept on disk');
    }
    this.timer = setInterval(() => this.wake(), pollEveryMs);
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

  /** When the look at the control plane that is under way has ended, and what a first one found was tried. */
  async settled(): Promise<void> {
    await this.running;
    await this.firstRoutes;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    this.deps.loader.close();
    await this.stopListening?.().catch(() => undefined);
    await this.running;
  }

  /** Problems that keep routes from being put in force, for people to read. */
  problems(): RouteProblem[] {
    return this.deps.activator.problems();
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
    const { controlPlane, environment, activator, loader, metrics, log } = this.deps;
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
    activator.follow(state.storeId);
    // Not waited for: the next look may find a route that overtakes one that is loading.
    const advanced = Promise.all(state.routes.map((route) => activator.advance(state, route, 'control-plane')));
    if (this.storeId === undefined) {
      this.firstRoutes = advanced.then(() => {
        this.storeId ??= state.storeId;
      });
    } else await this.changeStore(this.storeId, state);
    await loader.unloadIdle(this.deps.unloadAfterMs);
  }

  /** Models that another store does not serve are dropped; the others are served as before until its routes are in force. */
  private async changeStore(from: string, { storeId, routes }: RouteState): Promise<void> {
    if (from === storeId) return;
    const { table, kept, log } = this.deps;
    log.warn({ from, to: storeId }, 'the routes come from another store; replacing all');
    const named = new Set(routes.map((route) => route.model));
    const gone = table.routes().flatMap(({ route: { model } }) => (named.has(model) ? [] : [model]));
    for (const model of gone) table.drop(model);
    this.storeId = storeId;
    if (gone.length > 0)
      await kept.drop(gone).catch((error: unknown) => log.error({ err: error }, 'routes of the old store are still on disk'));
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
}
