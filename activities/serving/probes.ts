import { Context } from '@temporalio/activity';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { probeInputs } from '../../domain/serving/probe.js';
import { versionsOfRoute } from '../../domain/serving/route.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { liveGateways, type LiveGateway } from '../../db/serving/gateway-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { wakeGateway, type WakingDependencies } from './wake-gateway.js';

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

/** Probes of what gateways answer. Reading only, so repeating is harmless. */
export function createProbeActivities({ db, config }: WakingDependencies) {
  return {
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
          wakeGateway(config, environment, `a probe of ${model}@${version}`) ??
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
}

export type ProbeActivities = ReturnType<typeof createProbeActivities>;

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
