import type { LoadedVersion } from './loaded-version.js';
import type { ServedVersion } from '../../domain/serving/route.js';
import type { ActiveRoute } from './active-route.js';

/** A version's name in the engine: the same only for the same bytes under the same contract. */
export function engineKey({ model, version, artifactSha256, definitionSha256 }: ServedVersion): string {
  return `${model}@${version}/${artifactSha256.slice(0, 16)}/${definitionSha256.slice(0, 16)}`;
}

/** The metric labels of an engine's model. */
export function labelsOfKey(key: string): { model: string; version: string } {
  const [model = '', version = ''] = (key.split('/')[0] ?? '').split('@');
  return { model, version };
}

/** Which version an engine's model is. */
export function versionOfKey(key: string): { model: string; version: number } {
  const { model, version } = labelsOfKey(key);
  return { model, version: Number(version) };
}

/** What the gateway serves at this moment. A route is replaced whole, in one step. */
export class RouteTable {
  private readonly active = new Map<string, ActiveRoute>();
  private readonly loaded = new Map<string, LoadedVersion>();

  route(model: string): ActiveRoute | undefined {
    return this.active.get(model);
  }

  routes(): ActiveRoute[] {
    return [...this.active.values()];
  }

  byKey(key: string): LoadedVersion | undefined {
    return this.loaded.get(key);
  }

  /**
   * A loaded version by its number: the one that the route names, where two stores gave the same number to different
   * bytes.
   */
  version(model: string, version: number): LoadedVersion | undefined {
    return (
      this.active.get(model)?.versions.get(version) ??
      this.versionsOf(model).findLast((one) => one.served.version === version)
    );
  }

  versionsOf(model: string): LoadedVersion[] {
    return [...this.loaded.values()]
      .filter((one) => one.served.model === model)
      .sort((left, right) => left.served.version - right.served.version);
  }

  versions(): LoadedVersion[] {
    return [...this.loaded.values()];
  }

  add(version: LoadedVersion): void {
    this.loaded.set(version.key, version);
  }

  remove(version: LoadedVersion): void {
    if (this.loaded.get(version.key) === version) this.loaded.delete(version.key);
  }

  /**
   * Puts a route in force. Requests that have chosen their version finish on it.
   * @returns false, and nothing changes, when a later epoch of the same store is in force.
   */
  swap(next: ActiveRoute): boolean {
    const current = this.active.get(next.route.model)?.route;
    if (current !== undefined && current.storeId === next.route.storeId && current.epoch > next.route.epoch)
      return false;
    this.active.set(next.route.model, next);
    this.markIdle();
    return true;
  }

  /** Whether a route names the version, or is on its way into force; of a model, whether it has a route. */
  names(model: string, version: number | undefined): boolean {
    const route = this.active.get(model);
    if (version === undefined) return route !== undefined;
    return (
      route?.versions.has(version) === true ||
      this.versionsOf(model).some((one) => one.served.version === version && one.holds > 0)
    );
  }

  drop(model: string): void {
    this.active.delete(model);
    this.markIdle();
  }

  private markIdle(): void {
    const named = new Set(this.routes().flatMap(({ versions }) => [...versions.values()]));
    for (const version of this.loaded.values()) {
      if (named.has(version)) version.idleSince = undefined;
      else version.idleSince ??= performance.now();
    }
  }
}
