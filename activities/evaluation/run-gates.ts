import { evaluationSchema } from '../../domain/evaluation/evaluation.js';
import { importancesOf } from '../../domain/evaluation/importances.js';
import { decideGates, gatesVerdict } from '../../domain/evaluation/gate.js';
import { objectKeys } from '../../domain/object-keys.js';
import { trainerResultSchema } from '../../domain/training/trainer.js';
import type { Verdict } from '../../domain/verdict.js';
import { definitionByDigest, rulesInForce } from '../../db/model/definition-queries.js';
import { finishRunStep, startRunStep, updateRun } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { writeOrder } from '../write-order.js';

/** Gates: what a run measured, against the bounds that are in force. */
export function createRunGateActivities({ db, store }: Pick<ActivityDependencies, 'db' | 'store'>) {
  const readJson = async (key: string): Promise<unknown> => JSON.parse(new TextDecoder().decode(await store.get(key)));
  return {
    /** Asks the gates in force, not those that the run was started with. */
    async decideRunGates({
      runId,
      definitionSha256,
      evaluationKey,
    }: {
      runId: string;
      definitionSha256: string;
      evaluationKey: string;
    }): Promise<{ verdict: Verdict; summary: string }> {
      const claim = await startRunStep(db, { runId, step: 'gate', writeOrder: writeOrder() });
      const { name: model, task } = await definitionByDigest(db, definitionSha256);
      const { evaluation: policy } = (await rulesInForce(db, model)).definition;
      const result = trainerResultSchema.parse(await readJson(objectKeys.runFile(runId, 'result.json')));
      const evaluation = evaluationSchema.parse(await readJson(evaluationKey));
      const [leading] = importancesOf(result.featureImportances, evaluation.importances);
      const decision = decideGates({ task, evaluation: policy }, evaluation, leading);
      await updateRun(db, claim, { gates: decision.results });
      const verdict = gatesVerdict(decision.results);
      const open = decision.results.filter((result) => result.outcome !== 'pass');
      const asked =
        open.length === 0
          ? `all ${decision.results.length} gates pass`
          : open.map((result) => `${result.name}: ${result.outcome}. ${result.reason}`).join(' ');
      const summary = [asked, ...decision.notAsked.map(({ name, reason }) => `Not evaluated: ${name}. ${reason}`)]
        .join('. ')
        .replaceAll('.. ', '. ');
      await finishRunStep(db, claim, summary);
      return { verdict, summary };
    },
  };
}

export type RunGateActivities = ReturnType<typeof createRunGateActivities>;
