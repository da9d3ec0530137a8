import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { liveGateways } from '../../db/serving/gateway-queries.js';
import { wakeGateway, type WakingDependencies } from './wake-gateway.js';

const pollMs = 200;
/** An attempt ends before its time-out does, and says why it has waited. */
const wakesWithinMs = 20_000;

export interface Acknowledgement {
  all: boolean;
  /** Those that serve the epoch. */
  gateways: string;
  /** Those that do not, each with its reason; empty when all do. */
  missing: string;
  /** Each that serves it, with the epoch that it last spoke of and when. Absent in answers of version 0.1.0. */
  serving?: GatewayAcknowledgement[];
}

export interface GatewayAcknowledgement {
  gateway: string;
  epoch: number;
  /** ISO 8601, UTC. */
  at: string;
}

/** Waits until gateways serve a route. Reading only, so repeating is harmless. */
export function createAcknowledgementActivities({ db, config }: WakingDependencies) {
  return {
    /**
     * Until every gateway that is live serves the epoch, or the time is over. It does not run while the gateway of an
     * environment that starts on demand is yet to start: that is waited for however long it takes.
     */
    async waitForAcknowledgement(asked: {
      environment: Environment;
      model: string;
      epoch: number;
      waitAtMostSeconds: number;
    }): Promise<Acknowledgement> {
      const startedMs = Date.now();
      let deadlineMs = startedMs + asked.waitAtMostSeconds * 1000;
      for (;;) {
        const standing = await ask(asked);
        if (standing.asleep === undefined && (standing.all || Date.now() >= deadlineMs)) return standing;
        if (standing.asleep !== undefined) {
          if (Date.now() - startedMs > wakesWithinMs) throw new PerdureError('server/unreachable', standing.asleep);
          deadlineMs = Date.now() + asked.waitAtMostSeconds * 1000;
        }
        await pause();
      }
    },

    /**
     * Until every gateway that is live serves the epoch, however long that takes: a rollback is not done before.
     */
    async waitUntilAcknowledged(asked: {
      environment: Environment;
      model: string;
      epoch: number;
    }): Promise<Acknowledgement> {
      const startedMs = Date.now();
      for (;;) {
        const standing = await ask(asked);
        if (standing.all) return standing;
        if (Date.now() - startedMs > 30_000) {
          throw new PerdureError(
            'server/unreachable',
            `gateways of ${asked.environment} do not serve epoch ${asked.epoch} of ${asked.model} yet: ` +
              `${standing.missing}`,
          );
        }
        await pause();
      }
    },
  };

  async function pause(): Promise<void> {
    Context.current().heartbeat();
    await delay(pollMs, undefined, { signal: Context.current().cancellationSignal });
  }

  async function ask({
    environment,
    model,
    epoch,
  }: {
    environment: Environment;
    model: string;
    epoch: number;
  }): Promise<Acknowledgement & { asleep?: string }> {
    const gateways = await liveGateways(db, environment, model);
    const serving = gateways.filter((gateway) => gateway.epoch >= epoch && gateway.error === null);
    const missing = gateways.filter((gateway) => !serving.includes(gateway));
    const asleep = gateways.length > 0 ? null : wakeGateway(config, environment, `${model}, epoch ${epoch}`);
    return {
      ...(asleep !== null && { asleep }),
      all: gateways.length > 0 && missing.length === 0,
      gateways: serving.map((gateway) => gateway.id).join(', '),
      serving: serving.map(({ id, epoch: served, at }) => ({
        gateway: id,
        epoch: served,
        at: at ?? new Date().toISOString(),
      })),
      missing:
        gateways.length === 0
          ? (asleep ?? 'no gateway is alive')
          : missing.map((gateway) => `${gateway.id} (${gateway.error ?? `at epoch ${gateway.epoch}`})`).join(', '),
    };
  }
}

export type AcknowledgementActivities = ReturnType<typeof createAcknowledgementActivities>;
