import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { PlannedRollout } from '../../activities/rollout/rollouts.js';
import type { Environment } from '../../domain/names.js';
import type { RolloutRequest } from '../../domain/workflow-inputs.js';
import type { RolloutState } from '../../domain/rollout/move-after-look.js';
import { quickActivities, gatewayWaits, inputChecks, lockWaits } from '../activity-profiles.js';
import { historyIsLong, settledBefore } from '../long-history.js';
import { rolloutStatusQuery } from '../messages.js';
import { asPlanned, shadowsOf } from '../promotion/plans-of-0-1.js';
import {
  noProgress,
  statusOf,
  type CarriedRollout,
  type RolloutProgress,
  type RolloutResult,
} from './rollout-progress.js';
import { RolloutSteering } from './rollout-steering.js';
import type { RolloutCommands } from './rollout-commands.js';
import { mark, Timeline } from '../timeline.js';

/** A rollout that goes on in a new run. */
type ResumedRollout = (input: RolloutRequest, carried: CarriedRollout) => Promise<RolloutResult>;

export type PlannedStage = PlannedRollout['stages'][number];

/** What is known of a rollout once it has its lease and its plan. */
interface Begun {
  plan: PlannedRollout;
  progress: RolloutProgress;
  model: string;
  challenger: number;
  environment: Environment;
  timeline: Timeline;
}

/** One rollout under way: its lease, its plan, where it is, and what people want of it. */
export class RolloutRun {
  readonly rolloutId = workflowInfo().firstExecutionRunId;
  private readonly steering: RolloutSteering;
  private state: RolloutState = 'running';
  private reason: string | null = null;
  private begun: Begun | undefined;

  constructor(
    private readonly input: RolloutRequest,
    private readonly carried: CarriedRollout | undefined,
  ) {
    this.steering = new RolloutSteering(this.rolloutId, () => this.place, carried?.steering);
    setHandler(rolloutStatusQuery, () =>
      this.begun ? statusOf(this.begun, { rolloutId: this.rolloutId, state: this.state, reason: this.reason }) : null,
    );
  }

  /** Takes the lease and settles the plan. Nothing of the route is touched. */
  async begin(): Promise<void> {
    const { workflowId } = workflowInfo();
    const { rolloutId, carried } = this;
    const request = await inputChecks().parseRolloutRequest(this.input);
    const { model, version: challenger, environment, promotionId } = request;
    mark({ model, version: String(challenger), environment });
    const timeline = new Timeline(`Rollout of ${model}@${challenger} in ${environment}`, carried?.timeline);
    this.steering.attach(timeline);
    const progress = await this.progressOf(carried, { environment, model, timeline });
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
        await CancellationScope.nonCancellable(() => quickActivities().releaseLease(progress.lease));
        throw error;
      });
    for (const change of plan.changes) timeline.note(change);
    this.begun = { plan, progress, model, challenger, environment, timeline };
  }

  get known(): Begun {
    if (!this.begun) throw new Error('the rollout has not begun');
    return this.begun;
  }

  get commands(): RolloutCommands {
    return this.steering.commands;
  }

  get waits() {
    return gatewayWaits(this.known.plan.acknowledgeWithinSeconds);
  }

  /** The stage that the rollout is in; undefined after the last. */
  get stage(): PlannedStage | undefined {
    return this.known.plan.stages[this.known.progress.step];
  }

  /**
   * Whether an earlier run has put the stage in force, and it goes on being watched: what people want is heeded there.
   */
  get goesOnInStage(): boolean {
    const wanted = this.commands.wantsAttention;
    return this.known.progress.epoch !== null && (!wanted || patched('carried-wishes'));
  }

  nextStage(): PlannedStage | undefined {
    const { progress, plan } = this.known;
    const last = progress.step + 1 >= plan.stages.length;
    Object.assign(progress, { step: progress.step + 1, epoch: last ? progress.epoch : null, stepElapsedMs: 0 });
    return this.stage;
  }

  label(stage: PlannedStage): string {
    return `stage ${this.known.progress.step + 1} of ${this.known.plan.stages.length}, ${stage.name}`;
  }

  async enter(state: RolloutState, reason: string | null): Promise<void> {
    this.state = state;
    await quickActivities().setRolloutState({ rolloutId: this.rolloutId, state, step: this.place, reason });
  }

  async end(state: RolloutState, reason: string): Promise<RolloutResult> {
    this.reason = reason;
    await this.enter(state, reason);
    mark({ outcome: state });
    this.known.timeline.finished(`${state}: ${reason}`);
    this.steering.close(`the rollout is over: ${state}`);
    await condition(() => allHandlersFinished() && this.steering.settled);
    return { rolloutId: this.rolloutId, state, reason, epoch: this.known.progress.epoch };
  }

  /** A rollout that is carried over keeps its lease. */
  async giveLeaseBack(): Promise<void> {
    if (this.state !== 'running' && this.state !== 'paused')
      await quickActivities().releaseLease(this.known.progress.lease);
  }

  /** Waits for something, but no longer than until somebody aborts. @throws GoBack then. */
  async untilAborted<T>(wait: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope();
    const waiting = scope.run(wait);
    const settled = await settledBefore(waiting, () => this.commands.aborted || historyIsLong());
    if (this.commands.aborted) {
      scope.cancel();
      await waiting.catch(() => undefined);
    }
    this.commands.checkAborted();
    return settled ? waiting : this.carryOver();
  }

  /** Waits for something however long it takes. */
  async patiently<T>(wait: () => Promise<T>): Promise<T> {
    const waiting = wait();
    return (await settledBefore(waiting, historyIsLong)) ? waiting : this.carryOver();
  }

  /** Goes on in a new run, with a history of its own, where this one is; whoever cancelled it is not forgotten. */
  async carryOver(): Promise<never> {
    const steering = await CancellationScope.nonCancellable(async () => {
      const entries = await this.steering.carryOver();
      await condition(allHandlersFinished);
      return entries;
    });
    const progress = this.begun?.progress ?? { lease: null };
    if (CancellationScope.current().consideredCancelled && progress.lease)
      progress.back ??= { state: 'aborted', message: 'cancelled' };
    const timeline = this.begun?.timeline.lines;
    return continueAsNew<ResumedRollout>(this.input, { ...progress, steering, ...(timeline && { timeline }) });
  }

  /** As people see it: after the last stage it stays there. */
  private get place(): number {
    return this.begun ? Math.min(this.begun.progress.step, this.begun.plan.stages.length - 1) : 0;
  }

  private async progressOf(
    carried: CarriedRollout | undefined,
    { environment, model, timeline }: { environment: Environment; model: string; timeline: Timeline },
  ): Promise<RolloutProgress> {
    if (carried?.lease) {
      const { steering: _, timeline: __, ...progress } = carried;
      return progress;
    }
    const { workflowId } = workflowInfo();
    timeline.doing('waiting for other rollouts of this model to end');
    const lease = await this.patiently(() =>
      lockWaits().takeRolloutLease({ environment, model, holder: { workflowId, runId: this.rolloutId } }),
    );
    return noProgress(lease);
  }
}
