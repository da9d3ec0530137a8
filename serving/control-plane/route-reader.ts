import type { Database } from '../../db/connect.js';
import { routeChanges, routeRevision, type RouteRevision } from '../../db/serving/route-state.js';
import type { Environment } from '../../domain/names.js';
import type { RouteState } from './control-plane.js';

/** Everything is read anew after this long, whatever the revisions say. */
const wholeEveryMs = 10 * 60_000;

interface Known {
  at: RouteRevision;
  state: RouteState;
  wholeAt: number;
}

/**
 * The routes of an environment as they were read, brought up to date by what changed: while nothing does, a poll reads
 * one row, however many models and however much history there is. All is read anew where revisions do not go on from
 * what is known: another store, a database that was set back, a connection that was lost.
 */
export class RouteReader {
  private known: Known | undefined;
  /** How often all was forgotten: what was being read then is not kept. */
  private forgotten = 0;

  constructor(
    private readonly db: Database,
    private readonly environment: Environment,
  ) {}

  /** The same object while nothing changed. */
  async read(): Promise<RouteState> {
    const { forgotten } = this;
    try {
      const at = await routeRevision(this.db, this.environment);
      const { known } = this;
      const now = performance.now();
      const goesOn = known !== undefined && known.at.storeId === at.storeId && now - known.wholeAt < wholeEveryMs;
      if (goesOn && known.at.revision === at.revision && known.at.changedAt === at.changedAt) return known.state;
      // Read after its revision: what changes in between is read again by the next poll.
      const since = goesOn && known.at.revision < at.revision ? known.at.revision : 0;
      const changes = await routeChanges(this.db, this.environment, since);
      const state = {
        storeId: at.storeId,
        ...(known !== undefined && since > 0 ? merged(known.state, changes) : changes),
      };
      if (forgotten === this.forgotten)
        this.known = { at, state, wholeAt: known !== undefined && since > 0 ? known.wholeAt : now };
      return state;
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** The next read reads all. */
  forget(): void {
    this.forgotten += 1;
    this.known = undefined;
  }
}

type Changes = Omit<RouteState, 'storeId'>;

/** A route that changed takes the place of the earlier one of its model, with all that belongs to it. */
export function merged(known: Changes, changes: Changes): Changes {
  const changed = new Set(changes.routes.map((route) => route.model));
  const rest = <T extends { model: string }>(all: readonly T[] = []): T[] =>
    all.filter(({ model }) => !changed.has(model));
  return {
    routes: [...rest(known.routes), ...changes.routes],
    versions: [...rest(known.versions), ...changes.versions],
    former: [...rest(known.former), ...(changes.former ?? [])],
    released: changes.released ?? [],
  };
}
