import type { ServingRole } from '../domain/serving-window.js';
import type { Route, RouteOverride } from '../domain/route.js';
import { stretchesOf } from '../domain/route-choice.js';
import type { OverrideCause } from '../domain/served-log.js';
import type { LoadedVersion } from './route-table.js';
import type { ServingTally, ServingWindowCounter } from './serving-window-counter.js';

/** A loaded version in one part of a route, with its place to count: all that a request needs once it is chosen. */
export interface RoutedVersion {
  loaded: LoadedVersion;
  epoch: number;
  role: ServingRole;
  /** Of the role `override`. */
  cause: OverrideCause | undefined;
  tally: ServingTally;
}

export interface ShadowVersion extends RoutedVersion {
  samplePct: number;
}

/** Asks for a header of the request by its name in lower case; undefined when it is absent or empty. Metadata of other protocols answer alike. */
export type HeaderLookup = (name: string) => string | undefined;

/** A route in force, made ready when it is swapped in, so that a request only compares numbers and looks into maps. */
export interface ActiveRoute {
  route: Route;
  /** Every version that the route names, loaded. */
  versions: ReadonlyMap<number, LoadedVersion>;
  /** The split, laid end to end. */
  split: readonly { end: number; version: RoutedVersion }[];
  /** Undefined when there are none, which then cost nothing. */
  overrides: RouteOverrides | undefined;
  /** Undefined when there are none. */
  shadows: readonly ShadowVersion[] | undefined;
  /** A version that answers whatever the split says, whether the route names it or not. */
  override: (loaded: LoadedVersion, cause: OverrideCause) => RoutedVersion;
}

/** Who gets a version whatever the split says. Keys go before headers, and of several overrides that match the first one counts. */
export class RouteOverrides {
  private readonly byKey = new Map<string, RoutedVersion>();
  private readonly headers: { name: string; byValue: Map<string, RoutedVersion> }[] = [];

  constructor(overrides: readonly RouteOverride[], routed: (version: number, cause: OverrideCause) => RoutedVersion) {
    for (const { version, keys, headers } of overrides) {
      for (const key of keys) if (!this.byKey.has(key)) this.byKey.set(key, routed(version, 'key'));
      for (const { name, value } of headers) {
        const { byValue } = this.headerOf(name.toLowerCase());
        if (!byValue.has(value)) byValue.set(value, routed(version, 'header'));
      }
    }
  }

  match(key: string | undefined, header: HeaderLookup): RoutedVersion | undefined {
    const found = key === undefined ? undefined : this.byKey.get(key);
    if (found !== undefined) return found;
    for (const { name, byValue } of this.headers) {
      const value = header(name);
      const version = value === undefined ? undefined : byValue.get(value);
      if (version !== undefined) return version;
    }
    return undefined;
  }

  private headerOf(name: string): { name: string; byValue: Map<string, RoutedVersion> } {
    let header = this.headers.find((one) => one.name === name);
    if (header === undefined) {
      header = { name, byValue: new Map() };
      this.headers.push(header);
    }
    return header;
  }
}

/** @throws RangeError when a version that the route names is not among `versions`. */
export function activateRoute(route: Route, versions: ReadonlyMap<number, LoadedVersion>, windows: ServingWindowCounter): ActiveRoute {
  const { model, epoch } = route;
  const routed = (loaded: LoadedVersion, role: ServingRole): RoutedVersion => {
    return { loaded, epoch, role, cause: undefined, tally: windows.tally({ model, version: loaded.served.version, epoch, role }) };
  };
  const loadedOf = (version: number): LoadedVersion => {
    const loaded = versions.get(version);
    if (loaded === undefined) throw new RangeError(`version ${version} of ${model} is not loaded`);
    return loaded;
  };
  // Weak: a version that no route names may be unloaded while this route is in force.
  const overrides = new WeakMap<LoadedVersion, Record<OverrideCause, RoutedVersion>>();
  const override = (loaded: LoadedVersion, cause: OverrideCause): RoutedVersion => {
    let byCause = overrides.get(loaded);
    if (byCause === undefined) {
      const version = routed(loaded, 'override'); // Counted in one place, whatever the cause.
      const caused = (why: OverrideCause) => ({ ...version, cause: why });
      byCause = { version: caused('version'), key: caused('key'), header: caused('header'), 'stand-in': caused('stand-in') };
      overrides.set(loaded, byCause);
    }
    return byCause[cause];
  };
  const overridden = route.overrides.some((one) => one.keys.length + one.headers.length > 0);
  return {
    route,
    versions,
    split: stretchesOf(route.split).map(({ version, end }) => ({ end, version: routed(loadedOf(version), 'split') })),
    overrides: overridden ? new RouteOverrides(route.overrides, (version, cause) => override(loadedOf(version), cause)) : undefined,
    shadows:
      route.shadows.length === 0
        ? undefined
        : route.shadows.map(({ version, samplePct }) => ({ ...routed(loadedOf(version), 'shadow'), samplePct })),
    override,
  };
}
