import type { FormerVersion, Route, ServedVersion } from '../../domain/serving/route.js';
import type { RouteState } from '../control-plane/control-plane.js';
import type { RouteFile } from './route-file.js';

interface Kept {
  route: Route;
  versions: ServedVersion[];
  former: FormerVersion[];
}

/** The routes on the gateway's disk: what a restart serves. Within a store a model's epoch never falls there either. */
export class LastGoodRoutes {
  private readonly kept = new Map<string, Kept>();
  private underWay: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;

  constructor(private readonly file: RouteFile) {}

  /** What an earlier process kept, if it kept anything. */
  async read(): Promise<RouteState | undefined> {
    const state = await this.file.read();
    for (const route of state?.routes ?? []) {
      const versions = state?.versions.filter((one) => one.model === route.model) ?? [];
      this.kept.set(route.model, {
        route,
        versions,
        former: state?.former?.filter((one) => one.model === route.model) ?? [],
      });
    }
    return state;
  }

  /** Ends when this route, or a later one of its model, is safe on disk. @throws when the disk refuses. */
  async keep(route: Route, versions: ServedVersion[], former: FormerVersion[] = []): Promise<void> {
    const before = this.kept.get(route.model)?.route;
    if (before === undefined || before.storeId !== route.storeId || before.epoch <= route.epoch) {
      // Later models stand last, so that the file names the store that was followed last.
      this.kept.delete(route.model);
      this.kept.set(route.model, { route, versions, former });
    }
    await this.write();
  }

  /** Forgets models that are served no more. */
  async drop(models: readonly string[]): Promise<void> {
    for (const model of models) this.kept.delete(model);
    await this.write();
  }

  /**
   * Each write takes all that is kept when its turn comes, so that changes of several models share one and none undoes
   * another.
   */
  private write(): Promise<void> {
    this.queued ??= this.underWay.then(() => {
      this.queued = undefined;
      const written = this.file.write(this.state());
      this.underWay = written.catch(() => undefined);
      return written;
    });
    return this.queued;
  }

  private state(): RouteState {
    const all = [...this.kept.values()];
    return {
      storeId: all.at(-1)?.route.storeId ?? '',
      routes: all.map(({ route }) => route),
      versions: all.flatMap(({ versions }) => versions),
      former: all.flatMap(({ former }) => former),
    };
  }
}
