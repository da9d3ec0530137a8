import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { ImportRequest } from '../../domain/workflow-inputs.js';
import type { RunOutcome } from '../../domain/training/run.js';
import { dataWork, inputChecks, lockWaits, quickActivities, trainers } from '../activity-profiles.js';
import { failureText } from '../failure-text.js';
import { mark, Timeline } from '../timeline.js';
import { askForPromotion, type RunResult } from './train-model.js';

/**
 * A model that was made elsewhere becomes a version as any other does: held against its contract, evaluated against the
 * champion on a partition's rows, gated, registered, and proposed for promotion.
 */
export async function importVersion(input: ImportRequest): Promise<RunResult> {
  const { model, definitionSha256, until, actor, threshold, ...brought } =
    await inputChecks().parseImportRequest(input);
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  const cause = { kind: 'person' as const, id: `import-${brought.sha256.slice(0, 12)}`, actor };
  const timeline = new Timeline(`Importing a version of ${model} (${actor})`);
  mark({ model, cause: cause.kind });
  await quickActivities().openRun({ runId, workflowId, model, definitionSha256, until, cause });
  let lease: LeaseGrant | undefined;

  const end = async (outcome: RunOutcome, reason: string): Promise<RunResult> => {
    // The watermark stays: these data were not trained on here.
    await quickActivities().closeRun({ runId, outcome, reason, watermark: null });
    mark({ outcome });
    timeline.finished(`${outcome}: ${reason}`);
    return { runId, outcome, reason, version: null, promotion: null };
  };

  try {
    timeline.doing('waiting for other runs of this model to end');
    lease = await lockWaits().takeTrainingLease({ model, holder: { workflowId, runId } });

    timeline.doing('checking the model against its contract');
    const trained = await trainers().adoptModel({ runId, definitionSha256, ...brought });
    timeline.finished(trained.summary);

    timeline.doing('taking a snapshot of the data and validating it');
    const snapshot = await dataWork().takeSnapshot({
      ...{ runId, model, definitionSha256, until },
      ignoreWatermark: true,
      force: true,
    });
    if (snapshot.outcome === 'unchanged') return await end('failed', snapshot.reason);
    if (snapshot.outcome !== 'taken') return await end(snapshot.outcome, snapshot.reason);
    timeline.finished(snapshot.summary);
    const { snapshotSha256 } = snapshot;

    timeline.doing('evaluating on the holdout');
    const { artifactSha256 } = trained;
    const evaluated = await dataWork().evaluateRun({
      ...{ runId, definitionSha256, snapshotSha256, artifactSha256, threshold },
    });
    timeline.finished(evaluated.summary);

    timeline.doing('deciding the gates');
    const { evaluationKey } = evaluated;
    const gates = await quickActivities().decideRunGates({ runId, definitionSha256, evaluationKey });
    timeline.finished(gates.summary);
    if (gates.verdict !== 'pass') return await end('gate-not-passed', gates.summary);

    timeline.doing('registering');
    const registered = await quickActivities().registerRun({
      ...{ runId, definitionSha256, snapshotSha256, trained, evaluationKey },
      watermark: null,
    });
    mark({ version: String(registered.version), outcome: 'registered' });
    const reason = `registered as version ${registered.version}`;
    timeline.finished(reason);
    const promotion = registered.promote
      ? await askForPromotion(model, registered.version, registered.promote, actor)
      : null;
    timeline.finished(
      promotion ? `requested promotion: ${promotion}` : `no promotion requested: ${registered.promoteReason}`,
    );
    return { runId, outcome: 'registered', reason, version: registered.version, promotion };
  } catch (error) {
    const outcome: RunOutcome = isCancellation(error) ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() => end(outcome, failureText(error)));
    throw error;
  } finally {
    const held = lease;
    if (held) await CancellationScope.nonCancellable(() => quickActivities().releaseLease(held));
  }
}
