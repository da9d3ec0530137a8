import type { Logger } from 'pino';
import type { Environment } from '../../domain/names.js';
import type { Route } from '../../domain/serving/route.js';
import type { ControlPlane, RouteState } from '../control-plane/control-plane.js';
import type { GatewayEvents } from '../telemetry/gateway-events.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { LastGoodRoutes } from './last-good-routes.js';
import type { RouteActivator } from './route-activator.js';
import type { RouteProblem } from './route-failures.js';
import type { RouteTable } from './route-table.js';
import type { VersionLoader } from './version-loader.js';

export interface RouteFollowerDeps {
  environment: Environment;
  controlPlane: ControlPlane;
  table: RouteTable;
  loader: VersionLoader;
  kept: LastGoodRoutes;
  activator: RouteActivator;
  events: Pick<GatewayEvents, 'record'>;
  metrics: GatewayMetrics;
  log: Logger;
  pollEveryMs: number;
  /** How long a version that no route names stays loaded, for requests by explicit version and for a quick way back. */
  unloadAfterMs: number;
}

/**
 * Looks at the routes of the control plane when it says that they changed, and every so often, and has them brought
 * into force.
 */
export class RouteFollower {
  /** Undefined until routes are known, from the control plane or from disk. */
  storeId: string | undefined;
  /** When the control plane last answered. */
  contactAt: string | undefined;
  /** Models that are served though the database that was last looked at has no route for them. */
  unconfirmed: Pick<Route, 'model' | 'epoch' | 'storeId'>[] = [];
  private running: Promise<void> | undefined;
  private again = false;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => Promise<void>) | undefined;
  private stopped = false;
  /** The routes that the first look found, brought into force or not. */
  private firstRoutes: Promise<void> = Promise.resolve();
  /** What was said of models that the database does not name, so that it is said once. */
  private readonly told = new Set<string>();

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
      log.debug({ err: error }, 'the control plane is unreachable; still serving');
      metrics.connected.set({ system: 'postgres' }, 0);
      return;
    }
    activator.follow(state.storeId);
    // Not waited for: the next look may find a route that overtakes one that is loading.
    const advanced = Promise.all(state.routes.map((route) => activator.advance(state, route, 'control-plane')));
    if (this.storeId === undefined) {
      this.firstRoutes = advanced.then(() => {
        this.storeId ??= state.storeId;
      });
    } else if (this.storeId !== state.storeId) {
      log.warn({ from: this.storeId, to: state.storeId }, 'the routes come from another store');
      this.storeId = state.storeId;
    }
    await this.compare(state);
    await loader.unloadIdle(this.deps.unloadAfterMs);
  }

  /**
   * A database that no longer names a model is no wish to stop serving it: it may be a fresh one, a restored one or the
   * wrong one. Such models are served on, and told of, until a person lets them go.
   */
  private async compare({ storeId, routes, released = [] }: RouteState): Promise<void> {
    const { table, kept, events, metrics, log } = this.deps;
    const named = new Set(routes.map((route) => route.model));
    const unnamed = table.routes().flatMap(({ route }) => (named.has(route.model) ? [] : [route]));
    const letGo = unnamed.filter(({ model }) => released.includes(model));
    for (const { model, epoch } of letGo) {
      table.drop(model);
      events.record({
        model,
        version: null,
        kind: 'let-go',
        message: `It was served under epoch ${epoch}; a person ended its service.`,
      });
    }
    this.unconfirmed = unnamed
      .filter((route) => !letGo.includes(route))
      .map(({ model, epoch, storeId: store }) => ({ model, epoch, storeId: store }));
    metrics.routesUnconfirmed.set(this.unconfirmed.length);
    for (const { model, epoch } of this.unconfirmed) {
      const words = `${storeId} ${model}`;
      if (this.told.has(words)) continue;
      this.told.add(words);
      const message =
        `It is served under epoch ${epoch}, and the database (store ${storeId}) has no route ` +
        `for it. It keeps being served until \`npx perdure routes let-go ${model}\`.`;
      events.record({ model, version: null, kind: 'not-in-store', message });
    }
    if (letGo.length > 0)
      await kept
        .drop(letGo.map(({ model }) => model))
        .catch((error: unknown) => log.error({ err: error }, 'released routes are still on disk'));
  }
}
