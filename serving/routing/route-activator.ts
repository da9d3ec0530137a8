import type { Logger } from 'pino';
import { canonicalJson } from '../../domain/canonical-json.js';
import type { Contract } from '../../domain/data/contract.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { versionsOfRoute, type FormerVersion, type Route } from '../../domain/serving/route.js';
import { activateRoute } from './active-route.js';
import type { RouteState } from '../control-plane/control-plane.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { LastGoodRoutes } from './last-good-routes.js';
import type { RouteAcknowledger } from './route-acknowledger.js';
import { RouteFailures, type RouteProblem } from './route-failures.js';
import type { LoadedVersion } from './loaded-version.js';
import type { RouteTable } from './route-table.js';
import type { ServingWindowCounter } from '../telemetry/serving-window-counter.js';
import type { VersionLoader } from './version-loader.js';

export interface RouteActivatorDeps {
  table: RouteTable;
  loader: VersionLoader;
  kept: LastGoodRoutes;
  acknowledger: RouteAcknowledger;
  windows: ServingWindowCounter;
  metrics: GatewayMetrics;
  log: Logger;
  /** How long a model counts as cold after a route brought in a version that was just loaded. */
  coldStartMs: number;
}

/**
 * Brings routes into force: load, keep on disk, swap, acknowledge, in that order. Each route goes its own way: one that
 * takes long to load delays no other model, nor a later route of its own model, and finds itself overtaken when it is
 * done.
 */
export class RouteActivator {
  private readonly failures = new RouteFailures();
  private readonly underWay = new Map<string, Promise<void>>();
  /**
   * Whose routes are wanted, since epochs of two stores do not compare; undefined while only those on disk are known.
   */
  private storeId: string | undefined;
  /** Models whose service was ended, by the route that says so. */
  private readonly ended = new Map<string, Route>();

  constructor(private readonly deps: RouteActivatorDeps) {}

  /** From now on only routes of this store come into force. */
  follow(storeId: string): void {
    this.storeId = storeId;
  }

  /**
   * Starts what is missing for the route to be in force. The promise ends when it is, or has failed, or was overtaken;
   * it never rejects.
   */
  advance(state: RouteState, route: Route, from: 'disk' | 'control-plane'): Promise<void> {
    const { table, acknowledger } = this.deps;
    if (route.ended !== undefined) return this.endService(route);
    const current = table.route(route.model)?.route;
    if (current?.storeId === route.storeId && current.epoch >= route.epoch) {
      const conflict = conflictOf(current, route);
      if (conflict !== undefined) return this.refuse(route, current, conflict);
      const failure = this.failures.of(route);
      if (failure === undefined) {
        this.failures.forget(route.model);
        return this.learnThresholds(state, route).then(() => acknowledger.acknowledge(route));
      }
    }
    const key = `${route.model} ${route.storeId} ${route.epoch}`;
    const running = this.underWay.get(key);
    if (running !== undefined) return running;
    const failure = this.failures.of(route);
    if (failure !== undefined && failure.retryAt > performance.now())
      return acknowledger.acknowledge(route, failure.message);
    const work = this.bringIntoForce(state, route, from).finally(() => this.underWay.delete(key));
    this.underWay.set(key, work);
    return work;
  }

  /** Only a person's word takes a model out of service, and what is still loading of it comes too late. */
  private async endService(route: Route): Promise<void> {
    const { table, kept, acknowledger, log } = this.deps;
    const { model, epoch, storeId } = route;
    const current = table.route(model)?.route;
    if (current?.storeId === storeId && current.epoch > epoch) return;
    if (this.ended.get(model)?.epoch !== epoch || this.ended.get(model)?.storeId !== storeId) {
      try {
        await kept.drop([model]);
      } catch (error) {
        return this.fail(route, error);
      }
      this.ended.set(model, route);
      this.failures.forget(model);
      table.drop(model);
      log.info({ model, epoch, ended: route.ended }, 'service ended');
    }
    await acknowledger.acknowledge(route);
  }

  /** Problems that keep routes from being put in force, for people to read. */
  problems(): RouteProblem[] {
    return this.failures.all();
  }

  private async bringIntoForce(state: RouteState, route: Route, from: 'disk' | 'control-plane'): Promise<void> {
    const { loader, kept, acknowledger } = this.deps;
    const { loaded, problem } = await this.loadAll(state, route);
    const former = formerOf(state, route);
    try {
      const contracts = await loader.contractsOf(former);
      if (!this.isWanted(route, from)) return;
      const inForce = problem === undefined ? route : this.withoutWhatIsMissing(route, loaded);
      if (inForce === undefined) return await this.fail(route, problem);
      if (from === 'control-plane') await kept.keep(route, servedVersions(state, route), former);
      if (!this.isWanted(route, from)) return;
      this.swap(inForce, loaded, contracts);
      if (problem !== undefined) return await this.fail(route, problem);
      this.failures.forget(route.model);
      if (from === 'control-plane') await acknowledger.acknowledge(route);
    } catch (error) {
      if (this.isWanted(route, from)) await this.fail(route, error);
    } finally {
      for (const version of loaded.values()) loader.release(version);
    }
  }

  /**
   * Loads every version that the route names, what answers first.
   * @returns those that are loaded, and what stood in the way of the others.
   */
  private async loadAll(
    state: RouteState,
    route: Route,
  ): Promise<{ loaded: Map<number, LoadedVersion>; problem?: unknown }> {
    const loaded = new Map<number, LoadedVersion>();
    let problem: { cause: unknown } | undefined;
    for (const version of versionsOfRoute(route)) {
      try {
        const served = state.versions.find((one) => one.model === route.model && one.version === version);
        if (served === undefined)
          throw new PerdureError(
            'not-found',
            `The route of ${route.model} names version ${version}, which is not registered.`,
          );
        loaded.set(version, await this.deps.loader.load(served));
      } catch (cause) {
        problem ??= { cause };
      }
    }
    return problem === undefined ? { loaded } : { loaded, problem: problem.cause };
  }

  /**
   * Where nothing is in force at all, what answers callers is worth having without the rest: a shadow that cannot be
   * loaded must not keep a restarted gateway silent.
   */
  private withoutWhatIsMissing(route: Route, loaded: ReadonlyMap<number, LoadedVersion>): Route | undefined {
    if (this.deps.table.route(route.model) !== undefined || route.split.some(({ version }) => !loaded.has(version)))
      return undefined;
    return {
      ...route,
      shadows: route.shadows.filter(({ version }) => loaded.has(version)),
      standby: route.standby.filter((version) => loaded.has(version)),
      overrides: route.overrides.filter(({ version }) => loaded.has(version)),
    };
  }

  /**
   * False when a later route came into force meanwhile, or another store is followed now; what was kept on disk is
   * better than nothing all the same.
   */
  private isWanted(route: Route, from: 'disk' | 'control-plane'): boolean {
    const ended = this.ended.get(route.model);
    if (ended?.storeId === route.storeId && ended.epoch >= route.epoch) return false;
    const current = this.deps.table.route(route.model)?.route;
    if (this.storeId !== undefined && this.storeId !== route.storeId) return from === 'disk' && current === undefined;
    if (current?.storeId !== route.storeId) return true;
    return current.epoch < route.epoch || (current.epoch === route.epoch && this.failures.of(route) !== undefined);
  }

  /** A route that an earlier release kept says nothing of thresholds: they come under the same epoch. */
  private async learnThresholds(state: RouteState, route: Route): Promise<void> {
    const { kept, table, log } = this.deps;
    let learnt = false;
    for (const loaded of table.route(route.model)?.versions.values() ?? []) {
      const told = state.versions.find((one) => one.model === route.model && one.version === loaded.served.version);
      if (told?.threshold === undefined || loaded.served.threshold !== undefined) continue;
      loaded.served = { ...loaded.served, threshold: told.threshold };
      learnt = true;
    }
    if (!learnt) return;
    await kept
      .keep(route, servedVersions(state, route), formerOf(state, route))
      .catch((error: unknown) => log.error({ err: error }, 'thresholds are not on disk'));
  }

  private swap(route: Route, loaded: ReadonlyMap<number, LoadedVersion>, former: readonly Contract[]): void {
    const { table, windows, metrics, log, coldStartMs } = this.deps;
    const { model, epoch, split, shadows, standby } = route;
    // A version that was just loaded has cold caches, and loading it took the processor from the others: none of them
    // is judged by the next moments.
    const now = performance.now();
    const before = new Set(table.route(model)?.versions.values());
    const isFresh = (version: LoadedVersion) => !before.has(version) && now - version.readyAt < coldStartMs;
    if ([...loaded.values()].some(isFresh)) windows.markCold(model, now + coldStartMs);
    if (!table.swap(activateRoute(route, loaded, windows, former))) return;
    metrics.routeEpoch.set({ model }, epoch);
    log.info({ model, epoch, split, shadows, standby }, 'route in force');
  }

  private async fail(route: Route, error: unknown): Promise<void> {
    const { metrics, log, acknowledger } = this.deps;
    const message = messageOf(error);
    const attempts = this.failures.record(route, message);
    metrics.routeErrors.inc({ model: route.model });
    log.error(
      { model: route.model, epoch: route.epoch, attempts, err: error },
      'route not in force; the last one keeps serving',
    );
    await acknowledger.acknowledge(route, message);
  }

  /**
   * An earlier epoch is a stale look, or a database that was set back, and gets no word; the same epoch twice would
   * make an acknowledgement a lie.
   */
  private async refuse(route: Route, current: Route, conflict: string): Promise<void> {
    const { log, metrics, acknowledger } = this.deps;
    if (this.failures.of(route)?.message !== conflict) {
      metrics.routeErrors.inc({ model: route.model });
      log.error({ model: route.model, epoch: route.epoch, inForce: current.epoch }, conflict);
    }
    this.failures.record(route, conflict);
    if (route.epoch === current.epoch) await acknowledger.acknowledge(route, conflict);
  }
}

/**
 * Why a route that is not later than the one in force must not be taken for it; undefined when it is the one in force.
 */
function conflictOf(current: Route, route: Route): string | undefined {
  const remedy = 'If the database was restored from a backup, give it a new store id: docs/operations.md, Backup.';
  if (route.epoch < current.epoch)
    return `The control plane names epoch ${route.epoch}; epoch ${current.epoch} is in force here and stays. ${remedy}`;
  // What is in force may lack parts that could not be loaded.
  const isSame = route.at === current.at && canonicalJson(route.split) === canonicalJson(current.split);
  return isSame
    ? undefined
    : `The control plane has another route under epoch ${route.epoch} than is in force here. ${remedy}`;
}

function formerOf({ former = [] }: RouteState, { model }: Route): FormerVersion[] {
  return former.filter((one) => one.model === model);
}

function servedVersions({ versions }: RouteState, route: Route): RouteState['versions'] {
  const named = new Set(versionsOfRoute(route));
  return versions.filter((one) => one.model === route.model && named.has(one.version));
}
