import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LeaseGrant } from '../domain/lease.js';
import type { RolloutRequest } from '../domain/requests.js';
import { lookAfterSeconds, looksMax, moveAfterLook, splitOf, type RolloutState } from '../domain/rollout.js';
import { facts, gatewayWaits, parsing, queueing } from './activity-profiles.js';
import { failureCode, failureText } from './failure-text.js';
import { rolloutStatusQuery } from './messages.js';
import { RolloutSteering } from './rollout-steering.js';
import { mark, Timeline } from './timeline.js';

export interface RolloutResult {
  rolloutId: string;
  state: RolloutState;
  reason: string;
  epoch: number | null;
}

/** Where a rollout is; carried over when its history grows long. */
interface RolloutProgress {
  lease: LeaseGrant;
  step: number;
  /** The route written for this step, null before. */
  epoch: number | null;
  /** The first epoch of the step before, to judge a last step against. */
  previousEpoch: number | null;
  look: number;
  stepElapsedMs: number;
  lastLook: string | null;
}

/** Says why the rollout goes back. */
class GoBack extends Error {
  override readonly name = 'GoBack';
  constructor(
    readonly state: 'rolled-back' | 'aborted',
    message: string,
  ) {
    super(message);
  }
}

/** Moves a route from champion to challenger step by step; goes back, proven by the gateways, when the judge or a person says so. */
export async function rolloutModel(input: RolloutRequest, carried?: RolloutProgress): Promise<RolloutResult> {
  const { workflowId, firstExecutionRunId: rolloutId } = workflowInfo();
  const steering = new RolloutSteering();
  let describe: () => ReturnType<typeof status> | null = () => null;
  setHandler(rolloutStatusQuery, () => describe());

  const request = await parsing().parseRolloutRequest(input);
  const { model, version: challenger, environment } = request;
  mark({ model, version: String(challenger), environment });
  const timeline = new Timeline(`Rollout of ${model}@${challenger} in ${environment}`);
  steering.attach(timeline);
  timeline.doing('waiting for other rollouts of this model to end');
  const lease = carried?.lease ?? (await queueing().takeRolloutLease({ environment, model, holder: { workflowId, runId: rolloutId } }));
  const progress: RolloutProgress = carried ?? {
    lease,
    step: 0,
    epoch: null,
    previousEpoch: null,
    look: 0,
    stepElapsedMs: 0,
    lastLook: null,
  };
  let state: RolloutState = 'running';
  let reason: string | null = null;

  const plan = await facts()
    .planRollout({ rolloutId, workflowId, model, challenger, environment, promotionId: request.promotionId })
    .catch(async (error: unknown) => {
      await CancellationScope.nonCancellable(() => facts().releaseLease(lease));
      throw error;
    });
  const { policy, champion, steps } = plan;
  function status() {
    const sharePct = steps[progress.step]?.sharePct ?? 100;
    return {
      rolloutId,
      state,
      champion,
      challenger,
      step: progress.step + 1,
      steps: steps.length,
      epoch: progress.epoch,
      lastLook: progress.lastLook,
      reason,
      split: progress.epoch === null ? null : splitOf(champion, challenger, sharePct),
    };
  }
  describe = status;

  const waits = gatewayWaits(policy.acknowledgeWithinSeconds);
  const route = { environment, model, lease };

  const end = async (ended: RolloutState, why: string): Promise<RolloutResult> => {
    state = ended;
    reason = why;
    await facts().setRolloutState({ rolloutId, state, step: Math.min(progress.step, steps.length - 1), reason });
    mark({ outcome: ended });
    timeline.finished(`${ended}: ${why}`);
    steering.close(`the rollout is over: ${ended}`);
    await condition(allHandlersFinished);
    return { rolloutId, state, reason: why, epoch: progress.epoch };
  };

  /** Pauses until somebody resumes, advances or aborts. */
  const waitWhilePaused = async (why: string): Promise<void> => {
    state = 'paused';
    await facts().setRolloutState({ rolloutId, state, step: progress.step, reason: why });
    timeline.doing(`paused: ${why}. Signal resume, advance or abort`);
    await condition(() => !steering.paused || steering.aborted !== null || steering.advancing);
    state = 'running';
    await facts().setRolloutState({ rolloutId, state, step: progress.step, reason: null });
  };

  const checkAborted = () => {
    if (steering.aborted !== null) throw new GoBack('aborted', steering.aborted);
  };

  /** Waits for gateways, but no longer than until somebody aborts. */
  const untilAborted = async <T>(wait: () => Promise<T>): Promise<T> => {
    const scope = new CancellationScope();
    const waiting = scope.run(wait);
    await Promise.race([waiting.catch(() => undefined), condition(() => steering.aborted !== null)]);
    if (steering.aborted !== null) {
      scope.cancel();
      await waiting.catch(() => undefined);
    }
    checkAborted();
    return waiting;
  };

  try {
    for (; progress.step < steps.length; progress.step += 1) {
      const step = steps[progress.step];
      if (!step) break;
      const label = `step ${progress.step + 1} of ${steps.length}, ${step.sharePct} %`;
      checkAborted();
      if (steering.paused) {
        await waitWhilePaused(steering.pausedBecause);
        steering.takeAdvance();
      }
      checkAborted();
      if (progress.epoch === null) {
        timeline.doing(`${label}: route written, waiting for gateways`);
        const written = await facts().writeRoute({
          ...route,
          split: splitOf(champion, challenger, step.sharePct),
          reason: `rollout of ${model}@${challenger}: ${label}`,
          idempotencyKey: `${rolloutId}/step-${progress.step}`,
        });
        progress.epoch = written.epoch;
        await facts().setRolloutState({ rolloutId, state, step: progress.step, reason: null });
        const acknowledged = await untilAborted(() =>
          waits.waitForAcknowledgement({ environment, model, epoch: written.epoch, waitAtMostSeconds: policy.acknowledgeWithinSeconds }),
        );
        if (!acknowledged.all) throw new GoBack('rolled-back', `not every gateway serves epoch ${written.epoch}: ${acknowledged.missing}`);
        timeline.finished(`${label}: epoch ${written.epoch} acknowledged by ${acknowledged.gateways}`);
      }
      if (plan.judged) await judgeStep(label, step);
      Object.assign(progress, {
        previousEpoch: progress.epoch,
        epoch: progress.step + 1 < steps.length ? null : progress.epoch,
        stepElapsedMs: 0,
      });
    }
    await untilAborted(() => waits.probe({ environment, model, version: challenger }));
    return await end('completed', champion === null ? 'first version of the environment' : `replaces version ${champion}`);
  } catch (error) {
    if (error instanceof Error && error.name === 'ContinueAsNew') throw error;
    const cancelled = isCancellation(error);
    return await CancellationScope.nonCancellable(async () => {
      if (failureCode(error) === 'lease/lost') return end('aborted', failureText(error));
      const back = error instanceof GoBack ? error : new GoBack(cancelled ? 'aborted' : 'rolled-back', failureText(error));
      if (champion === null) return end('failed', `${back.message}; there is no earlier version to go back to`);
      timeline.doing(`going back to version ${champion}: ${back.message}`);
      const restored = await facts().writeRoute({
        ...route,
        split: splitOf(null, champion, 100),
        reason: `back from ${model}@${challenger}: ${back.message}`,
        idempotencyKey: `${rolloutId}/back`,
      });
      progress.epoch = restored.epoch;
      await waits.waitUntilAcknowledged({ environment, model, epoch: restored.epoch });
      await waits.probe({ environment, model, version: champion });
      return end(back.state, back.message);
    });
  } finally {
    if (state !== 'running' && state !== 'paused') await CancellationScope.nonCancellable(() => facts().releaseLease(lease));
  }

  /** Looks again and again until the step passes, somebody advances it, or it goes back. */
  async function judgeStep(label: string, step: (typeof steps)[number]): Promise<void> {
    for (;;) {
      checkAborted();
      if (steering.takeAdvance()) return timeline.finished(`${label}: advanced by ${steering.advancedBy}`);
      if (steering.paused) {
        await waitWhilePaused(steering.pausedBecause);
        continue;
      }
      timeline.doing(`${label}: watching. ${progress.lastLook ?? 'No look yet'}`);
      const before = Date.now();
      await condition(() => steering.wantsAttention, lookAfterSeconds(policy, progress.stepElapsedMs / 1000) * 1000);
      progress.stepElapsedMs += Date.now() - before;
      if (steering.wantsAttention) continue;
      if (progress.epoch === null) return;
      progress.look += 1;
      const look = await facts().lookAtRollout({
        rolloutId,
        environment,
        model,
        champion,
        challenger,
        look: progress.look,
        step: progress.step,
        looksMax: looksMax(policy, step),
        epoch: progress.epoch,
        previousEpoch: progress.previousEpoch,
        judge: policy.judge,
        rolloutStep: step,
      });
      progress.lastLook = look.summary;
      const move = moveAfterLook(policy, step, { verdict: look.verdict, elapsedSeconds: progress.stepElapsedMs / 1000 });
      if (move === 'next-step') return timeline.finished(`${label}: ${look.summary}`);
      if (move === 'roll-back') throw new GoBack('rolled-back', look.summary);
      if (move === 'pause') steering.pauseBecause(`the judge needs a person: ${look.summary}`);
      // What a person just asked for is not carried over: it is done first.
      if (workflowInfo().continueAsNewSuggested && !steering.wantsAttention) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof rolloutModel>(input, progress);
      }
    }
  }
}
