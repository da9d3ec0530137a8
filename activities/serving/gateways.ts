import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { probeInputs } from '../../domain/serving/probe.js';
import { versionsOfRoute } from '../../domain/serving/route.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { liveGateways, type LiveGateway } from '../../db/serving/gateway-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import type { ActivityDependencies } from '../dependencies.js';

const pollMs = 200;

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

/** A gateway's answer by one version. */
export interface GatewayProbe {
  gateway: string;
  version: number;
  tookMs: number;
  /** ISO 8601, UTC. */
  at: string;
}

/** A gateway that answered a probe with an error: the same request gets the same answer again. */
interface ProbeRefusal {
  gateway: string;
  status: number;
  refused: string;
}

/** What a caller must change does not change by asking again; a version that fails may be on its way up. */
const refusedForGoodAfterMs = 10_000;
const failedForGoodAfterMs = 3 * 60_000;
const mayChange = new Set([404, 408, 425, 429, 499]);

/** Waits for what gateways do. Reading only, so repeating is harmless. */
export function createGatewayActivities({ db }: Pick<ActivityDependencies, 'db'>) {
  return {
    /** Until every gateway that is live serves the epoch, or the time is over. */
    async waitForAcknowledgement(asked: {
      environment: Environment;
      model: string;
      epoch: number;
      waitAtMostSeconds: number;
    }): Promise<Acknowledgement> {
      const deadlineMs = Date.now() + asked.waitAtMostSeconds * 1000;
      for (;;) {
        const standing = await ask(asked);
        if (standing.all || Date.now() >= deadlineMs) return standing;
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

    /**
     * Asks every live gateway for an answer by one version. Where a newer route no longer serves it, nobody is asked
     * and `replacedBy` says which. A gateway that goes on answering with an error has said what there is to hear:
     * `refused` has its words, and nothing is retried for ever on what cannot become right.
     * @throws PerdureError `server/unreachable`, retried.
     */
    async probe({
      environment,
      model,
      version,
    }: {
      environment: Environment;
      model: string;
      version: number;
    }): Promise<{ answered: number; probes: GatewayProbe[]; replacedBy: number | null; refused?: string }> {
      const route = await routeOf(db, environment, model);
      if (route && !versionsOfRoute(route).includes(version))
        return { answered: 0, probes: [], replacedBy: route.epoch };
      const { definitionSha256 } = await versionOf(db, model, version);
      const { contract } = await definitionByDigest(db, definitionSha256);
      const body = JSON.stringify({
        id: `probe-${Context.current().info.workflowExecution?.runId ?? 'activity'}`,
        inputs: probeInputs(contract),
      });
      const gateways = await liveGateways(db, environment, model);
      if (gateways.length === 0)
        throw new PerdureError(
          'server/unreachable',
          `no gateway of ${environment} is alive: start one, or see \`perdure status\``,
        );
      const heard: (GatewayProbe | ProbeRefusal)[] = [];
      for (const gateway of gateways) heard.push(await probeOne(gateway, model, version, body));
      const refusals = heard.filter((one) => 'refused' in one);
      const probes = heard.filter((one): one is GatewayProbe => !('refused' in one));
      if (refusals.length === 0) return { answered: probes.length, probes, replacedBy: null };
      const refused = refusals.map((one) => `gateway ${one.gateway} answered ${one.status} ${one.refused}`).join('; ');
      const triedMs = Date.now() - Context.current().info.scheduledTimestampMs;
      const forGood = refusals.every(
        ({ status }) => triedMs > (isFinal(status) ? refusedForGoodAfterMs : failedForGoodAfterMs),
      );
      if (!forGood)
        throw new PerdureError(
          'server/unreachable',
          `the probe of ${model}@${version} is not answered yet: ${refused}`,
        );
      return { answered: probes.length, probes, replacedBy: null, refused };
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
  }): Promise<Acknowledgement> {
    const gateways = await liveGateways(db, environment, model);
    const serving = gateways.filter((gateway) => gateway.epoch >= epoch && gateway.error === null);
    const missing = gateways.filter((gateway) => !serving.includes(gateway));
    return {
      all: gateways.length > 0 && missing.length === 0,
      gateways: serving.map((gateway) => gateway.id).join(', '),
      serving: serving.map(({ id, epoch: served, at }) => ({
        gateway: id,
        epoch: served,
        at: at ?? new Date().toISOString(),
      })),
      missing:
        gateways.length === 0
          ? 'no gateway is alive'
          : missing.map((gateway) => `${gateway.id} (${gateway.error ?? `at epoch ${gateway.epoch}`})`).join(', '),
    };
  }
}

export type GatewayActivities = ReturnType<typeof createGatewayActivities>;

const isFinal = (status: number): boolean => status >= 400 && status < 500 && !mayChange.has(status);

async function probeOne(
  gateway: LiveGateway,
  model: string,
  version: number,
  body: string,
): Promise<GatewayProbe | ProbeRefusal> {
  const startedMs = performance.now();
  const failed = (why: string) =>
    new PerdureError(
      'server/unreachable',
      `the probe of ${model}@${version} at gateway ${gateway.id} (${gateway.url}) failed: ${why}`,
    );
  const response = await fetch(new URL(`/v2/models/${model}/versions/${version}/infer`, gateway.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(5000),
  }).catch((error: unknown) => {
    throw failed(messageOf(error));
  });
  if (!response.ok)
    return {
      gateway: gateway.id,
      status: response.status,
      refused: (await response.text().catch(() => '')).slice(0, 300),
    };
  const answer: unknown = await response.json();
  const answeredBy =
    answer !== null && typeof answer === 'object' && 'model_version' in answer
      ? String(answer.model_version)
      : 'nobody';
  if (answeredBy !== String(version)) throw failed(`version ${answeredBy} answered`);
  return {
    gateway: gateway.id,
    version,
    tookMs: Math.round(performance.now() - startedMs),
    at: new Date().toISOString(),
  };
}
