import type { ServingRole } from '../../domain/serving/serving-window.js';
import type { Contract } from '../../domain/data/contract.js';
import { championOf, incumbentOf, type Route, type RouteOverride } from '../../domain/serving/route.js';
import { shareRangesOf } from '../../domain/serving/route-choice.js';
import { overrideCauses, type OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import { AcceptedFeatures, type ReadRequest } from './accepted-features.js';
import type { LoadedVersion } from './loaded-version.js';
import type { ServingTally, ServingWindowCounter } from '../telemetry/serving-window-counter.js';

/** A loaded version in one part of a route, with its place to count: all that a request needs once it is chosen. */
export interface RoutedVersion {
  loaded: LoadedVersion;
  epoch: number;
  role: ServingRole;
  /** Of the role `override`. */
  cause: OverrideCause | undefined;
  tally: ServingTally;
  /** A request as this version sees it. @throws PerdureError `input/invalid`. */
  read: ReadRequest;
}

export interface ShadowVersion extends RoutedVersion {
  samplePct: number;
}

/**
 * Asks for a header of the request by its name in lower case; undefined when it is absent or empty. Metadata of other
 * protocols answer alike.
 */
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
  /** What callers may send. */
  admission: AcceptedFeatures;
  /** Whose contract callers were promised. */
  incumbent: RoutedVersion;
  /**
   * Who may answer for a version whose contract refuses a request, in this order: never a challenger that has no share
   * yet.
   */
  takers: readonly LoadedVersion[];
  /** Who may answer for a version that cannot answer at all. */
  reserves: readonly LoadedVersion[];
  /** A version that answers whatever the split says, whether the route names it or not. */
  override: (loaded: LoadedVersion, cause: OverrideCause) => RoutedVersion;
}

/**
 * Who gets a version whatever the split says. Keys go before headers, and of several overrides that match the first one
 * counts.
 */
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

/**
 * @param former contracts of versions that this route went back from
 * @throws RangeError when a version that the route names is not among `versions`.
 */
export function activateRoute(
  route: Route,
  versions: ReadonlyMap<number, LoadedVersion>,
  windows: ServingWindowCounter,
  former: readonly Contract[] = [],
): ActiveRoute {
  const { model, epoch } = route;
  const loadedOf = (version: number): LoadedVersion => {
    const loaded = versions.get(version);
    if (loaded === undefined) throw new RangeError(`version ${version} of ${model} is not loaded`);
    return loaded;
  };
  const inOrder = (...numbers: number[]) => [...new Set(numbers)].map(loadedOf);
  const shares = route.split.map(({ version }) => version);
  const first = incumbentOf(route);
  const admission = new AcceptedFeatures([...new Set([...inOrder(first, ...shares), ...versions.values()])], former);
  const routed = (loaded: LoadedVersion, role: ServingRole): RoutedVersion => {
    const tally = windows.tally({ model, version: loaded.served.version, epoch, role }, loaded.shape.task.compared);
    return { loaded, epoch, role, cause: undefined, tally, read: admission.reader(loaded) };
  };
  // Weak: a version that no route names may be unloaded while this route is in force.
  const overrides = new WeakMap<LoadedVersion, Map<OverrideCause, RoutedVersion>>();
  const override = (loaded: LoadedVersion, cause: OverrideCause): RoutedVersion => {
    let byCause = overrides.get(loaded);
    if (byCause === undefined) {
      const version = routed(loaded, 'override'); // Counted in one place, whatever the cause.
      const asked = admission.ownReader(loaded);
      byCause = new Map(
        overrideCauses.map((why) => [
          why,
          { ...version, cause: why, read: why.startsWith('stand-in') ? version.read : asked },
        ]),
      );
      overrides.set(loaded, byCause);
    }
    return byCause.get(cause) ?? routed(loaded, 'override');
  };
  const overridden = route.overrides.some((one) => one.keys.length + one.headers.length > 0);
  return {
    route,
    versions,
    split: shareRangesOf(route.split).map(({ version, end }) => ({ end, version: routed(loadedOf(version), 'split') })),
    overrides: overridden
      ? new RouteOverrides(route.overrides, (version, cause) => override(loadedOf(version), cause))
      : undefined,
    shadows:
      route.shadows.length === 0
        ? undefined
        : route.shadows.map(({ version, samplePct }) => ({ ...routed(loadedOf(version), 'shadow'), samplePct })),
    admission,
    incumbent: override(loadedOf(first), 'stand-in/contract'),
    takers: inOrder(first, ...shares),
    reserves: inOrder(first, championOf(route.split), ...route.standby),
    override,
  };
}
