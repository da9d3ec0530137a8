import type { ServedOutcomes } from '../../adapters/data-engine/prediction-log/served-outcomes.js';
import { PerdureError } from '../../domain/errors.js';
import { judgeStage, type Observed, type StageInput, type StageJudgement } from '../../domain/rollout/judge/judge.js';
import { isLogged, type JudgedMetric } from '../../domain/rollout/judge/judge-policy.js';
import type { Environment } from '../../domain/names.js';
import { stageAt, type SettledRollout } from '../../domain/rollout/rollout-plan.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import type { Verdict } from '../../domain/verdict.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { recordLook, rolloutById } from '../../db/rollout/rollout-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { servedLast, servedUnder } from '../../db/serving/serving-windows.js';
import type { ActivityDependencies } from '../dependencies.js';
import { createLoggedOutcomes } from './logged-outcomes.js';

export interface LookQuestion {
  rolloutId: string;
  environment: Environment;
  model: string;
  /** A rising number: a repeated activity finds what the first one saw. */
  look: number;
  /** Place of the stage, and the epoch of its route. */
  stage: number;
  epoch: number;
  /** Seconds that the stage has run, pauses left out. */
  elapsedSeconds: number;
}

export interface LookAnswer {
  verdict: Verdict;
  summary: string;
  /** Whether an A/B test has seen all that it was to see. */
  exhausted: boolean;
}

/** At full share the champion is judged by what it did before; of that, this much at most. */
const championMemorySeconds = 3_600;
/**
 * A gateway's clock may be behind this worker's: its log is read from this much earlier. The epoch says what belongs to
 * the stage.
 */
const clockSkewMs = 3_600_000;

/**
 * Looks of the judge: what gateways counted and labels said under a stage's epoch, judged and stored with its inputs.
 */
export function createRolloutLookActivities(deps: ActivityDependencies) {
  const { db } = deps;
  const outcomes = createLoggedOutcomes(deps);

  return {
    /** One look. Stored under rollout and look, so that whoever asks twice gets one answer. */
    async lookAtRollout(asked: LookQuestion): Promise<LookAnswer> {
      const rollout = await rolloutById(db, asked.rolloutId);
      if (!rollout?.settled) throw new PerdureError('not-found', `rollout ${asked.rolloutId} was never settled`);
      const { settled, startedAt } = rollout;
      const stage = stageAt(settled, asked.stage);
      const { challenger, alsoShadow } = settled.parties;
      const seen = await observe(asked, settled, stage, startedAt);
      const inputs = inputOf(settled, stage, seen, challenger);
      const result: StageJudgement & { others?: { version: number; judged: StageJudgement }[] } = judgeStage(inputs);
      if (stage.kind === 'shadow' && alsoShadow.length > 0)
        result.others = alsoShadow.map((version) => ({
          version,
          judged: judgeStage(inputOf(settled, stage, seen, version)),
        }));
      const recorded = await recordLook(db, {
        ...{ rolloutId: asked.rolloutId, look: asked.look, stage: asked.stage, result },
        inputs: { ...inputs, stageIndex: asked.stage, elapsedSeconds: asked.elapsedSeconds },
      });
      const reasons = recorded.metrics
        .filter((metric) => metric.verdict === recorded.verdict)
        .map((metric) => metric.reason);
      const said = recorded.waitsFor ?? reasons.join(' ');
      const leftOut = recorded.leftOut === null ? '' : ` ${recorded.leftOut}`;
      return {
        verdict: recorded.verdict,
        summary: `${recorded.verdict} after ${inputs.challenger.requests} requests. ${said}${leftOut}`,
        exhausted: recorded.atHorizon,
      };
    },
  };

  /** What each version of the rollout did, by version number; the champion's under `champion`. */
  async function observe(
    { environment, model, epoch }: LookQuestion,
    settled: SettledRollout,
    stage: RolloutStage,
    since: Date,
  ) {
    const { champion, challenger, alsoShadow } = settled.parties;
    const before = stage.comparison === 'before';
    const epochsOfChampion = before
      ? { epochFrom: settled.epochBefore ?? epoch, epochTo: epoch - 1 }
      : { epochFrom: epoch, epochTo: epoch };
    const metrics = judgedBy(settled).filter(isLogged);
    const logged =
      metrics.length > 0 && !before ? await loggedUnder(environment, model, challenger, epoch, since, metrics) : [];
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
    environment: Environment,
    model: string,
    challenger: number,
    epoch: number,
    since: Date,
    metrics: JudgedMetric[],
  ) {
    const { contract } = await definitionByDigest(db, (await versionOf(db, model, challenger)).definitionSha256);
    return outcomes.count({
      environment,
      model,
      epochFrom: epoch,
      epochTo: epoch,
      from: new Date(since.getTime() - clockSkewMs),
      metrics,
      contract,
    });
  }
}

export type RolloutLookActivities = ReturnType<typeof createRolloutLookActivities>;

type Seen = Awaited<{
  champion: { observed: Observed; cold: number } | null;
  parties: Map<number, { observed: Observed; cold: number }>;
}>;

function inputOf(
  { policy, alphaOfStage }: SettledRollout,
  stage: RolloutStage,
  { champion, parties }: Seen,
  version: number,
): StageInput {
  const challenger = parties.get(version);
  if (policy.strategy === 'direct' || challenger === undefined)
    throw new PerdureError('state/conflict', `nobody judges a ${policy.strategy} rollout`);
  const { comparison, decides, minRequests } = stage;
  const ab = policy.strategy === 'ab' && stage.kind === 'ab';
  return {
    policy: policy.judge,
    alpha: alphaOfStage,
    stage: { comparison, decides, minRequests },
    outcome: ab ? policy.outcome : null,
    horizon: ab ? { kind: policy.horizon.kind, observations: policy.horizon.observations } : null,
    champion: champion?.observed ?? null,
    challenger: challenger.observed,
    coldRequests: challenger.cold + (comparison === 'same-minutes' ? (champion?.cold ?? 0) : 0),
  };
}

function judgedBy({ policy }: SettledRollout): JudgedMetric[] {
  if (policy.strategy === 'direct') return [];
  return policy.strategy === 'ab' ? [...policy.judge.metrics, policy.outcome] : policy.judge.metrics;
}

function samplesOf(logged: readonly ServedOutcomes[], version: number, role: 'split' | 'shadow'): Observed['samples'] {
  return logged.find((one) => one.version === version && one.role === role)?.samples ?? {};
}
