import type { Logger } from 'pino';
import type { Environment } from '../../domain/names.js';
import type { Route } from '../../domain/serving/route.js';
import type { ControlPlane } from '../control-plane/control-plane.js';

export interface RouteAcknowledgerDeps {
  gatewayId: string;
  environment: Environment;
  controlPlane: Pick<ControlPlane, 'acknowledgeRoute'>;
  log: Logger;
}

/**
 * Tells the control plane once what became of each route: in force, or why not. What could not be said is said at a
 * later look.
 */
export class RouteAcknowledger {
  private readonly said = new Map<string, string>();
  /** One call at a time a model, so that an earlier word never lands after a later one. */
  private readonly saying = new Map<string, Promise<void>>();

  constructor(private readonly deps: RouteAcknowledgerDeps) {}

  /** @param error why the route is not in force; undefined when it is. */
  acknowledge(route: Pick<Route, 'model' | 'storeId' | 'epoch'>, error?: string): Promise<void> {
    const next = (this.saying.get(route.model) ?? Promise.resolve()).then(() => this.say(route, error));
    this.saying.set(route.model, next);
    return next;
  }

  private async say(
    { model, storeId, epoch }: Pick<Route, 'model' | 'storeId' | 'epoch'>,
    error: string | undefined,
  ): Promise<void> {
    const { controlPlane, gatewayId, environment, log } = this.deps;
    const words = JSON.stringify([storeId, epoch, error]);
    if (this.said.get(model) === words) return;
    try {
      await controlPlane.acknowledgeRoute({
        gatewayId,
        environment,
        model,
        storeId,
        epoch,
        ...(error !== undefined && { error }),
      });
      this.said.set(model, words);
    } catch (cause) {
      log.warn({ model, epoch, err: cause }, 'route not acknowledged yet');
    }
  }
}
