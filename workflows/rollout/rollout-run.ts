import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  patched,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedRollout } from '../../activities/rollout/rollouts.js';
import { workflowIds } from '../../domain/ids.js';
import type { Environment } from '../../domain/names.js';
import type { RolloutRequest } from '../../domain/requests.js';
import { rolloutReason } from '../../domain/serving/route.js';
import { lookAfterSeconds, moveAfterLook, type RolloutState } from '../../domain/rollout/rollout.js';
import { quickActivities, gatewayWaits, lookActivities, inputChecks, lockWaits } from '../activity-profiles.js';
import { failureCode, failureText } from '../failure-text.js';
import { rolloutStatusQuery } from '../messages.js';
import { asPlanned, shadowsOf } from '../promotion/planned-before.js';
import { reviewRollout } from './review-rollout.js';
import { noProgress, statusOf, type RolloutProgress, type RolloutResult } from './rollout-progress.js';
import { GoBack, RolloutSteering } from './rollout-steering.js';
import { mark, Timeline } from '../timeline.js';

/** A rollout that goes on in a new run. */
type ResumedRollout = (input: RolloutRequest, progress: RolloutProgress) => Promise<RolloutResult>;

type Stage = PlannedRollout['stages'][number];

/** One rollout under way: its plan, where it is, and what it does in each stage. */
export class RolloutRun {
  private readonly rolloutId = workflowInfo().firstExecutionRunId;
  private readonly steering = new RolloutSteering(this.rolloutId, () => this.place);
  private state: RolloutState = 'running';
  private reason: string | null = null;
  private begun:
    | {
        plan: PlannedRollout;
        progress: RolloutProgress;
        model: string;
        challenger: number;
        environment: Environment;
        timeline: Timeline;
      }
    | undefined;

  constructor(private readonly input: RolloutRequest) {
    setHandler(rolloutStatusQuery, () =>
      this.begun ? statusOf(this.begun, { rolloutId: this.rolloutId, state: this.state, reason: this.reason }) : null,
    );
  }

  /** Takes the lease and settles the plan. Nothing of the route is touched. */
  async begin(carried: RolloutProgress | undefined): Promise<void> {
    const { workflowId } = workflowInfo();
    const { rolloutId } = this;
    const request = await inputChecks().parseRolloutRequest(this.input);
    const { model, version: challenger, environment, promotionId } = request;
    mark({ model, version: String(challenger), environment });
    const timeline = new Timeline(`Rollout of ${model}@${challenger} in ${environment}`);
    this.steering.attach(timeline);
    timeline.doing('waiting for other rollouts of this model to end');
    const lease =
      carried?.lease ??
      (await lockWaits().takeRolloutLease({ environment, model, holder: { workflowId, runId: rolloutId } }));
    const plan = await quickActivities()
      .planRollout({
        rolloutId,
        workflowId,
        model,
        challenger,
        environment,
        promotionId,
        alsoShadow: shadowsOf(request),
      })
      .then(asPlanned)
      .catch(async (error: unknown) => {
        await CancellationScope.nonCancellable(() => quickActivities().releaseLease(lease));
        throw error;
      });
    const progress = carried ?? noProgress(lease);
    for (const change of plan.changes) timeline.note(change);
    this.begun = { plan, progress, model, challenger, environment, timeline };
  }

  /** The stage that the rollout is in; undefined after the last. */
  get stage(): Stage | undefined {
    return this.known.plan.stages[this.known.progress.step];
  }

  /** As people see it: after the last stage it stays there. */
  private get place(): number {
    return this.begun ? Math.min(this.begun.progress.step, this.begun.plan.stages.length - 1) : 0;
  }

  nextStage(): Stage | undefined {
    const { progress, plan } = this.known;
    const last = progress.step + 1 >= plan.stages.length;
    Object.assign(progress, { step: progress.step + 1, epoch: last ? progress.epoch : null, stepElapsedMs: 0 });
    return this.stage;
  }

  /** Goes back, or waits, where a person asked for it before this stage. */
  async heedPeople(): Promise<void> {
    this.steering.checkAborted();
    if (this.steering.paused) {
      await this.waitWhilePaused();
      this.steering.takeAdvance();
    }
    this.steering.checkAborted();
  }

  /** Writes the stage's route and waits until every gateway serves it; a challenger that stands by must answer too. */
  async putInForce(stage: Stage): Promise<void> {
    const { progress, plan, model, challenger, environment, timeline } = this.known;
    if (progress.epoch !== null) return;
    const label = this.label(stage);
    const moved = this.steering.takeMovedBy();
    timeline.doing(`${label}: route written, waiting for gateways`);
    const { epoch } = await quickActivities().writeRoute({
      environment,
      model,
      lease: progress.lease,
      target: { rolloutId: this.rolloutId, stage: progress.step },
      reason: moved
        ? `${rolloutReason(model, challenger, label)}; ${moved.words}`
        : rolloutReason(model, challenger, label),
      ...(moved && { by: { actor: moved.actor } }),
      idempotencyKey: `${this.rolloutId}/step-${progress.step}`,
    });
    progress.epoch = epoch;
    await this.enter('running', null);
    const waitAtMostSeconds = plan.acknowledgeWithinSeconds;
    const acknowledged = await this.steering.untilAborted(() =>
      this.waits.waitForAcknowledgement({ environment, model, epoch, waitAtMostSeconds }),
    );
    if (!acknowledged.all)
      throw new GoBack('rolled-back', `not every gateway serves epoch ${epoch}: ${acknowledged.missing}`);
    timeline.finished(`${label}: epoch ${epoch} acknowledged by ${acknowledged.gateways}`);
    if (stage.kind === 'standby') await this.probeChallenger();
  }

  /**
   * Looks again and again until the stage passes, somebody advances it, or it goes back. A stage that compares with
   * nothing is not watched.
   */
  async watch(stage: Stage): Promise<void> {
    const { progress, plan, timeline } = this.known;
    const { steering } = this;
    const label = this.label(stage);
    while (stage.comparison !== 'none') {
      steering.checkAborted();
      if (steering.takeAdvance()) return timeline.finished(`${label}: advanced by ${steering.advancedBy}`);
      if (steering.paused) {
        await this.waitWhilePaused();
        continue;
      }
      timeline.doing(`${label}: watching. ${progress.lastLook ?? 'No look yet'}`);
      const before = Date.now();
      await condition(() => steering.wantsAttention, lookAfterSeconds(plan, progress.stepElapsedMs / 1000) * 1000, {
        summary: `${label}: next look of the judge`,
      });
      progress.stepElapsedMs += Date.now() - before;
      if (steering.wantsAttention) continue;
      const seen = await this.look();
      const move = moveAfterLook(stage.onInconclusive, stage, {
        ...seen,
        elapsedSeconds: progress.stepElapsedMs / 1000,
      });
      // The judge moves it on, not who resumed it before.
      if (move === 'next-step') steering.takeMovedBy();
      // Who asked to advance while the judge looked has got it: this stage is left once. Rollouts of 0.1.0 left the
      // next one too; theirs replay as they went.
      if (move === 'next-step' && steering.advancing && patched('advance-leaves-one-stage')) steering.takeAdvance();
      if (move === 'next-step') return timeline.finished(`${label}: ${progress.lastLook}`);
      const undecided = stage.decides === 'better' && seen.verdict !== 'fail' ? 'no winner: ' : '';
      if (move === 'roll-back')
        throw new GoBack('rolled-back', `${undecided}${progress.lastLook ?? 'the judge says fail'}`);
      if (move === 'pause') steering.pauseBecause(`the judge needs a person: ${progress.lastLook}`);
      // What a person just asked for is not carried over: it is done first.
      if (workflowInfo().continueAsNewSuggested && !steering.wantsAttention) {
        await condition(allHandlersFinished);
        await continueAsNew<ResumedRollout>(this.input, progress);
      }
    }
  }

  async complete(): Promise<RolloutResult> {
    const { plan } = this.known;
    await this.probeChallenger();
    // Rollouts of 0.1.0 completed over a pause that came with the last look or later; theirs replay as they went.
    if (this.steering.paused && patched('pause-before-completion')) await this.heedPeople();
    if (plan.lateLabels) await this.askLateLabels();
    return this.end(
      'completed',
      plan.champion === null ? 'first version of the environment' : `replaces version ${plan.champion}`,
    );
  }

  /** Puts the champion back and ends only when every gateway serves it and it has answered. */
  async goBack(error: unknown): Promise<RolloutResult> {
    const { plan, timeline } = this.known;
    const { champion } = plan;
    if (failureCode(error) === 'lease/lost') return this.end('aborted', failureText(error));
    const back =
      error instanceof GoBack
        ? error
        : new GoBack(isCancellation(error) ? 'aborted' : 'rolled-back', failureText(error));
    if (champion === null) return this.end('failed', `${back.message}; there is no earlier version to go back to`);
    timeline.doing(`going back to version ${champion}: ${back.message}`);
    try {
      const refused = await this.putBack(champion, back.message);
      if (refused !== undefined)
        return this.end(
          back.state,
          `${back.message}; version ${champion} serves again and refused its ` + `probe: ${refused}`,
        );
    } catch (overtaken) {
      // A rollback that waited for too long has taken the lease and puts the champion back itself. Rollouts of 0.1.0
      // failed over it; theirs replay as they went.
      if (failureCode(overtaken) !== 'lease/lost' || !patched('overtaken-on-the-way-back')) throw overtaken;
      return this.end('aborted', `${back.message}; ${failureText(overtaken)}`);
    }
    return this.end(back.state, back.message);
  }

  /** A rollout that is carried over keeps its lease. */
  async giveLeaseBack(): Promise<void> {
    if (this.state !== 'running' && this.state !== 'paused')
      await quickActivities().releaseLease(this.known.progress.lease);
  }

  private get known() {
    if (!this.begun) throw new Error('the rollout has not begun');
    return this.begun;
  }

  private get waits() {
    return gatewayWaits(this.known.plan.acknowledgeWithinSeconds);
  }

  /**
   * Leaves a review behind that waits for labels; one that still waits for an earlier rollout of this version goes on
   * instead.
   */
  private async askLateLabels(): Promise<void> {
    const { model, challenger, environment } = this.known;
    const start = startChild(reviewRollout, {
      workflowId: workflowIds.review(environment, model, challenger),
      args: [{ rolloutId: this.rolloutId }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `late labels on ${model}@${challenger} in ${environment}`,
    });
    await start.catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError')) throw error;
    });
  }

  /** A challenger that refuses what its own contract admits is not fit to serve. */
  private async probeChallenger(): Promise<void> {
    const { model, challenger, environment } = this.known;
    const { refused } = await this.steering.untilAborted(() =>
      this.waits.probe({ environment, model, version: challenger }),
    );
    if (refused !== undefined) throw new GoBack('rolled-back', `version ${challenger} refused its probe: ${refused}`);
  }

  /** @returns what a champion said that refused its probe: it serves, and there is nothing left to go back to. */
  private async putBack(champion: number, why: string): Promise<string | undefined> {
    const { progress, model, challenger, environment } = this.known;
    const { epoch } = await quickActivities().writeRoute({
      environment,
      model,
      lease: progress.lease,
      target: { split: [{ version: champion, sharePct: 100 }] },
      reason: `back from ${model}@${challenger}: ${why}`,
      ...(this.steering.abortedBy !== null && { by: { actor: this.steering.abortedBy } }),
      idempotencyKey: `${this.rolloutId}/back`,
    });
    progress.epoch = epoch;
    await this.waits.waitUntilAcknowledged({ environment, model, epoch });
    return (await this.waits.probe({ environment, model, version: champion })).refused;
  }

  private label(stage: Stage): string {
    return `step ${this.known.progress.step + 1} of ${this.known.plan.stages.length}, ${stage.name}`;
  }

  private async enter(state: RolloutState, reason: string | null): Promise<void> {
    this.state = state;
    await quickActivities().setRolloutState({ rolloutId: this.rolloutId, state, step: this.place, reason });
  }

  /** Until somebody resumes, advances or aborts. */
  private async waitWhilePaused(): Promise<void> {
    const { steering } = this;
    const why = steering.pausedBecause;
    await this.enter('paused', why);
    this.known.timeline.doing(`paused: ${why}. Signal resume, advance or abort`);
    await condition(() => !steering.paused || steering.aborted !== null || steering.advancing);
    await this.enter('running', null);
  }

  private async look() {
    const { progress, model, environment } = this.known;
    progress.look += 1;
    const { verdict, summary, exhausted } = await lookActivities().lookAtRollout({
      rolloutId: this.rolloutId,
      environment,
      model,
      look: progress.look,
      stage: progress.step,
      epoch: progress.epoch ?? 0,
      elapsedSeconds: progress.stepElapsedMs / 1000,
    });
    progress.lastLook = summary;
    return { verdict, exhausted };
  }

  private async end(state: RolloutState, reason: string): Promise<RolloutResult> {
    this.reason = reason;
    await this.enter(state, reason);
    mark({ outcome: state });
    this.known.timeline.finished(`${state}: ${reason}`);
    this.steering.close(`the rollout is over: ${state}`);
    await condition(allHandlersFinished);
    return { rolloutId: this.rolloutId, state, reason, epoch: this.known.progress.epoch };
  }
}
