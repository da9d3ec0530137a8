import { PerdureError } from '../../domain/errors.js';
import { judgeStage, type StageJudgement } from '../../domain/rollout/judge/judge.js';
import type { Environment } from '../../domain/names.js';
import { stageAt } from '../../domain/rollout/rollout-plan.js';
import type { Verdict } from '../../domain/verdict.js';
import { recordLook, rolloutById } from '../../db/rollout/rollout-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { stageInput } from '../../domain/rollout/stage-input.js';
import { createStageObservation } from './stage-observation.js';

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

/**
 * Looks of the judge: what gateways counted and labels said under a stage's epoch, judged and stored with its inputs.
 */
export function createRolloutLookActivities(deps: ActivityDependencies) {
  const { db } = deps;
  const observe = createStageObservation(deps);

  return {
    /** One look. Stored under rollout and look, so that whoever asks twice gets one answer. */
    async lookAtRollout(asked: LookQuestion): Promise<LookAnswer> {
      const rollout = await rolloutById(db, asked.rolloutId);
      if (!rollout?.settled) throw new PerdureError('not-found', `rollout ${asked.rolloutId} was never settled`);
      const { settled, startedAt } = rollout;
      const stage = stageAt(settled, asked.stage);
      const { challenger, alsoShadow } = settled.parties;
      const seen = await observe(asked, settled, stage, startedAt);
      const inputs = stageInput(settled, stage, seen, challenger);
      const result: StageJudgement & { others?: { version: number; judged: StageJudgement }[] } = judgeStage(inputs);
      if (stage.kind === 'shadow' && alsoShadow.length > 0)
        result.others = alsoShadow.map((version) => ({
          version,
          judged: judgeStage(stageInput(settled, stage, seen, version)),
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
}

export type RolloutLookActivities = ReturnType<typeof createRolloutLookActivities>;
