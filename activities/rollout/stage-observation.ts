import type { ServedOutcomes } from '../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { Observed } from '../../domain/rollout/judge/judge.js';
import { isLogged, type JudgedMetric } from '../../domain/rollout/judge/judge-policy.js';
import type { Environment } from '../../domain/names.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import { servedLast, servedUnder } from '../../db/serving/serving-windows.js';
import type { ActivityDependencies } from '../dependencies.js';
import { answeredLog } from './answered-log.js';
import { createLoggedOutcomes } from './logged-outcomes.js';
import { judgedBy, type ObservedStage } from '../../domain/rollout/stage-input.js';

/** At full share the champion is judged by what it did before; of that, this much at most. */
const championMemorySeconds = 3_600;
/**
 * A gateway's clock may be behind this worker's: its log is read from this much earlier. The epoch says what belongs to
 * the stage.
 */
const clockSkewMs = 3_600_000;

/** What gateways counted and labels said of each version under the route of a stage. */
export function createStageObservation(deps: ActivityDependencies) {
  const { db } = deps;
  const outcomes = createLoggedOutcomes(deps);
  return observe;

  /** What each version of the rollout did, by version number; the champion's under `champion`. */
  async function observe(
    { environment, model, epoch }: { environment: Environment; model: string; epoch: number },
    settled: SettledRollout,
    stage: RolloutStage,
    since: Date,
  ): Promise<ObservedStage> {
    const { champion, challenger, alsoShadow } = settled.parties;
    const before = stage.comparison === 'before';
    const epochsOfChampion = before
      ? { epochFrom: settled.epochBefore ?? epoch, epochTo: epoch - 1 }
      : { epochFrom: epoch, epochTo: epoch };
    const metrics = judgedBy(settled).filter(isLogged);
    const versions = [challenger, ...alsoShadow, ...(champion === null ? [] : [champion])];
    const logged =
      metrics.length > 0 && !before ? await loggedUnder({ environment, model, versions, epoch }, since, metrics) : [];
    const read = async (version: number, role: 'split' | 'shadow', epochs: { epochFrom: number; epochTo: number }) => {
      const subject = { environment, model, version, role, ...epochs };
      const { totals, cold } = await servedUnder(db, subject);
      const judged = before && version === champion ? await servedLast(db, subject, championMemorySeconds) : totals;
      return { observed: { ...judged, samples: samplesOf(logged, version, role) }, cold };
    };
    const role = stage.kind === 'shadow' ? 'shadow' : 'split';
    const parties = await Promise.all(
      [challenger, ...alsoShadow].map(
        async (version) => [version, await read(version, role, { epochFrom: epoch, epochTo: epoch })] as const,
      ),
    );
    return {
      champion: champion === null ? null : await read(champion, 'split', epochsOfChampion),
      parties: new Map(parties),
    };
  }

  async function loggedUnder(
    {
      environment,
      model,
      versions,
      epoch,
    }: { environment: Environment; model: string; versions: readonly number[]; epoch: number },
    since: Date,
    metrics: JudgedMetric[],
  ) {
    const log = await answeredLog(db, model, versions);
    return outcomes.count({
      environment,
      model,
      epochFrom: epoch,
      epochTo: epoch,
      from: new Date(since.getTime() - clockSkewMs),
      metrics,
      ...log,
    });
  }
}

function samplesOf(logged: readonly ServedOutcomes[], version: number, role: 'split' | 'shadow'): Observed['samples'] {
  return logged.find((one) => one.version === version && one.role === role)?.samples ?? {};
}
