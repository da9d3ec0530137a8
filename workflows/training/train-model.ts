import { urgencyAfter } from '../../domain/training/run-priority.js';
import { defineSearchAttributeKey, type Priority } from '@temporalio/common';
import { CancellationScope, isCancellation, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import { actorOf } from '../../domain/cause.js';
import { workflowIds } from '../../domain/ids.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import type { TrainRequest } from '../../domain/workflow-inputs.js';
import type { FoldModel } from '../../domain/model/model-version.js';
import type { RunOutcome } from '../../domain/training/run.js';
import { dataWork, quickActivities, inputChecks, lockWaits, trainers } from '../activity-profiles.js';
import { failureText } from '../failure-text.js';
import { promoteModel } from '../promotion/promote-model.js';
import { isAlreadyStarted } from '../already-started.js';
import { mark, Timeline } from '../timeline.js';

export interface RunResult {
  runId: string;
  outcome: RunOutcome;
  reason: string;
  version: number | null;
  /** The promotion that was started, by workflow id. */
  promotion: string | null;
}

/**
 * The training pipeline: snapshot, validate, train, evaluate against the champion, gate, register, and ask for
 * promotion.
 */
export async function trainModel(input: TrainRequest): Promise<RunResult> {
  const request = await inputChecks().parseTrainRequest(input);
  const { workflowId, firstExecutionRunId: runId } = workflowInfo();
  const { model, definitionSha256, until, force } = request;
  const order = () => orderOf(request);
  const timeline = new Timeline(`Training ${model}${until ? ` until ${until}` : ''} (${request.cause.kind})`);
  mark({ model, cause: request.cause.kind });

  await quickActivities().openRun({
    ...{ runId, workflowId, model, definitionSha256, until, cause: request.cause, priority: request.priority },
    scheduledFor: firingTime(),
    ...dataOf(request),
  });
  const run = { runId, definitionSha256, order, timeline };
  let lease: LeaseGrant | undefined;

  const end = async (
    outcome: RunOutcome,
    reason: string,
    watermark: string | null = null,
    version: number | null = null,
  ): Promise<RunResult> => {
    await quickActivities().closeRun({ runId, outcome, reason, watermark });
    mark({ outcome });
    timeline.finished(`${outcome}: ${reason}`);
    return { runId, outcome, reason, version, promotion: null };
  };

  try {
    timeline.doing('waiting for other runs of this model to end');
    lease = await lockWaits().takeTrainingLease({ model, holder: { workflowId, runId } });

    timeline.doing('taking a snapshot of the data and validating it');
    const snapshot = await dataWork(order()).takeSnapshot({
      ...{ runId, model, definitionSha256, until, force, ignoreWatermark: request.ignoreWatermark },
      ...(request.sample && { sample: request.sample }),
    });
    if (snapshot.outcome === 'unchanged')
      return await end('unchanged', snapshot.reason, snapshot.watermark, snapshot.version);
    if (snapshot.outcome !== 'taken') return await end(snapshot.outcome, snapshot.reason);
    timeline.finished(snapshot.summary);
    const { snapshotSha256, watermark } = snapshot;

    const { trained, foldModels, evaluationKey, gates } = await trainAndJudge({
      ...run,
      snapshotSha256,
      folds: snapshot.folds ?? [],
    });
    if (gates.verdict !== 'pass') return await end('gate-not-passed', gates.summary, watermark);

    timeline.doing('registering');
    const registered = await quickActivities().registerRun({
      runId,
      definitionSha256,
      snapshotSha256,
      watermark,
      trained,
      evaluationKey,
      ...(foldModels.length > 0 && { folds: foldModels }),
    });
    mark({ version: String(registered.version), outcome: 'registered' });
    timeline.finished(`registered as version ${registered.version}`);

    const promotion = registered.promote
      ? await askForPromotion(model, registered.version, registered.promote, actorOf(request.cause))
      : null;
    timeline.finished(
      promotion ? `requested promotion: ${promotion}` : `no promotion requested: ${registered.promoteReason}`,
    );
    return {
      runId,
      outcome: 'registered',
      reason: `registered as version ${registered.version}`,
      version: registered.version,
      promotion,
    };
  } catch (error) {
    const outcome: RunOutcome = isCancellation(error) ? 'cancelled' : 'failed';
    await CancellationScope.nonCancellable(() => end(outcome, failureText(error)));
    throw error;
  } finally {
    const held = lease;
    if (held) await CancellationScope.nonCancellable(() => quickActivities().releaseLease(held));
  }
}

/** Whose data a run takes. Absent in runs that began before it could be said. */
const dataOf = ({ environment, sample }: { environment?: Environment; sample?: SampleOrder | null }) =>
  environment === undefined ? {} : { environment, sample: sample ?? null };

/** Trains on the snapshot, evaluates against the champion, and asks the gates. */
async function trainAndJudge({
  runId,
  definitionSha256,
  snapshotSha256,
  folds,
  order,
  timeline,
}: {
  runId: string;
  definitionSha256: string;
  snapshotSha256: string;
  /** Of a cross-validation; snapshots of before have none. */
  folds: readonly number[];
  order: () => Priority | undefined;
  timeline: Timeline;
}) {
  const foldModels: FoldModel[] = [];
  for (const [index, fold] of folds.entries()) {
    timeline.doing(`training without fold ${index + 1} of ${folds.length}`);
    const { artifactSha256, summary } = await trainers(order()).trainFold({
      ...{ runId, definitionSha256, snapshotSha256, fold },
    });
    timeline.finished(summary);
    foldModels.push({ fold, artifactSha256 });
  }
  timeline.doing('training');
  const trained = await trainers(order()).train({ runId, definitionSha256, snapshotSha256 });
  timeline.finished(trained.summary);

  timeline.doing('evaluating on the holdout');
  const evaluated = await dataWork(order()).evaluateRun({
    runId,
    definitionSha256,
    snapshotSha256,
    artifactSha256: trained.artifactSha256,
    ...(trained.threshold !== undefined && { threshold: trained.threshold }),
    ...(foldModels.length > 0 && { folds: foldModels }),
  });
  timeline.finished(evaluated.summary);

  timeline.doing('deciding the gates');
  const gates = await quickActivities().decideRunGates({
    runId,
    definitionSha256,
    evaluationKey: evaluated.evaluationKey,
  });
  timeline.finished(gates.summary);
  return { trained, foldModels, evaluationKey: evaluated.evaluationKey, gates };
}

/**
 * Among what waits for the same workers: by priority, which rises while a run waits, then in turn among models.
 * Undefined in runs of version 0.1.0.
 */
const orderOf = ({ priority, model }: { priority?: number; model: string }): Priority | undefined =>
  priority === undefined
    ? undefined
    : { priorityKey: urgencyAfter(priority, Date.now() - workflowInfo().startTime.getTime()), fairnessKey: model };

const scheduledStartTime = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/** When the schedule that began this run was to fire; null where none did. */
const firingTime = (): string | null =>
  workflowInfo().typedSearchAttributes.get(scheduledStartTime)?.toISOString() ?? null;

/**
 * The promotion outlives the run that asked for it. A second promotion of the same version into the same place attaches
 * to the first.
 */
export async function askForPromotion(
  model: string,
  version: number,
  environment: Environment,
  requestedBy: string,
): Promise<string> {
  const workflowId = workflowIds.promote(model, version, environment);
  try {
    await startChild(promoteModel, {
      workflowId,
      args: [{ model, version, environment, requestedBy }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${model}@${version} to ${environment}`,
    });
  } catch (error) {
    if (!isAlreadyStarted(error)) throw error;
  }
  return workflowId;
}
