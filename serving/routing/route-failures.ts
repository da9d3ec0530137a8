import type { Route } from '../../domain/serving/route.js';

interface RouteFailure {
  storeId: string;
  epoch: number;
  message: string;
  attempts: number;
  /** Milliseconds of the monotonic clock before which trying again is no use. */
  retryAt: number;
}

export type RouteProblem = { model: string } & Pick<RouteFailure, 'epoch' | 'message' | 'attempts'>;

type RouteName = Pick<Route, 'model' | 'storeId' | 'epoch'>;

const retryMaxMs = 30_000;

/** The last route of each model that could not be put in force. */
export class RouteFailures {
  private readonly failures = new Map<string, RouteFailure>();

  /** What keeps exactly this route from being in force. */
  of({ model, storeId, epoch }: RouteName): RouteFailure | undefined {
    const failure = this.failures.get(model);
    return failure?.storeId === storeId && failure.epoch === epoch ? failure : undefined;
  }

  /** @returns how often it failed by now; each time the next attempt waits longer. */
  record(route: RouteName, message: string): number {
    const attempts = (this.of(route)?.attempts ?? 0) + 1;
    const retryAt = performance.now() + Math.min(retryMaxMs, 500 * 2 ** attempts);
    this.failures.set(route.model, { storeId: route.storeId, epoch: route.epoch, message, attempts, retryAt });
    return attempts;
  }

  forget(model: string): void {
    this.failures.delete(model);
  }

  all(): RouteProblem[] {
    return [...this.failures].map(([model, { epoch, message, attempts }]) => ({ model, epoch, message, attempts }));
  }
}
