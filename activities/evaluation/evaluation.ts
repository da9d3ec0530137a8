import type { FoldModel } from '../../domain/model/model-version.js';
import { definitionByDigest, rulesInForce } from '../../db/model/definition-queries.js';
import { finishRunStep, startRunStep, updateRun } from '../../db/training/run-queries.js';
import { objectKeys } from '../../domain/object-keys.js';
import { trainerResultSchema } from '../../domain/training/trainer.js';
import { createEvaluator, summaryOf } from './evaluator.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { writeOrder } from '../write-order.js';

/** The evaluation of a training run. */
export function createEvaluationActivities(deps: ActivityDependencies) {
  const { db } = deps;
  const { fairChampionIn, whyLeftOut, evaluate, keep } = createEvaluator(deps);
  return {
    /** Candidate against the champion of the last environment that the policy names. */
    async evaluateRun(asked: {
      runId: string;
      definitionSha256: string;
      snapshotSha256: string;
      artifactSha256: string;
      /** Chosen out of fold; absent where the policy gives a number, and in runs of before. */
      threshold?: number;
      folds?: FoldModel[];
    }): Promise<{ evaluationKey: string; summary: string }> {
      return withHeartbeat(async (signal, report) => {
        const claim = await startRunStep(db, { runId: asked.runId, step: 'evaluate', writeOrder: writeOrder() });
        const definition = await definitionByDigest(db, asked.definitionSha256);
        const { promotion } = (await rulesInForce(db, definition.name)).definition;
        const environment = promotion.environments.at(-1) ?? 'production';
        const champion = await fairChampionIn(environment, definition.name, asked.snapshotSha256);
        const result = trainerResultSchema.parse(
          JSON.parse(new TextDecoder().decode(await deps.store.get(objectKeys.runFile(asked.runId, 'result.json')))),
        );
        const importances = result.featureImportances.length === 0;
        const measured = await evaluate(
          { ...asked, definition, champion, signature: result, importances },
          signal,
          report,
        );
        const leftOut = await whyLeftOut(environment, definition.name, asked.snapshotSha256);
        const evaluation = { ...measured, ...leftOut };
        const { key } = await keep(definition.name, evaluation);
        await updateRun(db, claim, { evaluationKey: key, metrics: evaluation.overall.metrics });
        const summary = summaryOf(evaluation);
        await finishRunStep(db, claim, summary);
        return { evaluationKey: key, summary };
      });
    },
  };
}

export type EvaluationActivities = ReturnType<typeof createEvaluationActivities>;
