import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../../client/http/api-client.js';
import { verdictSchema } from '../../domain/verdict.js';
import type { MainJobReport } from './report.js';
import type { TrafficCounts } from './traffic.js';

/**
 * The main job's report, from what the API says: nothing in it is remembered from the steps but failed requests and
 * durations.
 */
export async function collectReport({
  api,
  model,
  startedAt,
  counts,
  stepsMs,
}: {
  api: ApiClient;
  model: string;
  startedAt: string;
  counts: TrafficCounts;
  stepsMs: Record<string, number>;
}): Promise<MainJobReport> {
  const { items: summaries } = await api.versions(model);
  const versions = await Promise.all(summaries.map(({ version }) => api.version(model, version)));
  const promotions = await Promise.all((await api.promotions({ model })).items.map(({ id }) => api.promotion(id)));
  const { items: routes } = await api.routeHistory(model);
  return {
    model,
    startedAt,
    finishedAt: new Date().toISOString(),
    versions: versions
      .toSorted((left, right) => left.version - right.version)
      .map(({ version, cause, trainedOn, testedOn, snapshotSha256, artifactSha256, metrics, gates, evaluation }) => ({
        version,
        cause,
        trainedOn: trainedOn ?? { from: '', to: '', rows: 0 },
        testedOn: testedOn ?? { from: '', to: '', rows: 0 },
        snapshotSha256,
        artifactSha256,
        metrics,
        intervals: evaluation?.overall.intervals ?? {},
        gates: gates.map(({ name, outcome }) => ({ name, outcome: verdictSchema.parse(outcome) })),
      })),
    promotions: promotions
      .toSorted((left, right) => left.requestedAt.localeCompare(right.requestedAt))
      .map(({ version, environment, state, evidenceSha256, decisions }) => ({
        version,
        environment,
        state,
        evidenceSha256,
        decisions: decisions.map(({ actor, decision, at, counted, selfApproved }) => ({
          actor,
          decision,
          at,
          counted,
          selfApproved,
        })),
      })),
    routes: routes.toReversed().map(({ environment, epoch, at, split }) => ({ environment, epoch, at, split })),
    requests: { ...(await servedByVersion(api, model, counts)), failed: counts.failed },
    stepsMs: { ...stepsMs, train: (stepsMs['train-1'] ?? 0) + (stepsMs['train-2'] ?? 0) },
  };
}

/**
 * What gateways counted, earlier starts included; they report every second, so what this start saw answered is waited
 * for.
 */
async function servedByVersion(api: ApiClient, model: string, counts: TrafficCounts): Promise<Record<string, number>> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const served = Object.fromEntries(
      (await api.traffic(model)).map(({ version, requests, errors }) => [String(version), requests - errors]),
    );
    const whole = Object.entries(counts.answered).every(([version, answered]) => (served[version] ?? 0) >= answered);
    if (whole || Date.now() > deadline) return served;
    await delay(300);
  }
}
