import { allHandlersFinished, condition, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { filledSlots } from '../../domain/promotion/approval-state.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import type { PromoteRequest } from '../../domain/workflow-inputs.js';
import { inputChecks, quickActivities } from '../activity-profiles.js';
import type { PromotionStatus } from '../messages.js';
import { mark, Timeline } from '../timeline.js';
import { RecordedDecisions } from './recorded-decisions.js';
import { shadowsOf } from './plans-of-0-1.js';
import { hearPeople } from './promotion-handlers.js';
import {
  undecided,
  type CarriedPromotion,
  type PromotionEnd,
  type PromotionProgress,
  type PromotionResult,
  type PromotionTerms,
  type RequestedPromotion,
} from './promotion-progress.js';
import type { PromotionRollout } from './promotion-rollout.js';

/** The workflow, in its first run or a later one. */
export type Promotion = (input: PromoteRequest, carried?: CarriedPromotion) => Promise<PromotionResult>;

/**
 * One promotion under way: what was shown, who decided what, and the rollout that carries it out. The parts of its
 * story (`showEvidence`, `decide`, `carryOut`) each give its end, where it ends there.
 */
export class PromotionRun {
  readonly promotionId = workflowInfo().firstExecutionRunId;
  readonly timeline: Timeline;
  readonly recorded: RecordedDecisions;
  readonly progress: PromotionProgress;
  /** Undefined until it has begun to roll out in this run. */
  rollout: PromotionRollout | undefined;
  private begun: PromotionTerms | undefined;

  constructor(
    private readonly input: PromoteRequest,
    carried: CarriedPromotion | undefined,
  ) {
    this.timeline = new Timeline(`Promotion of ${input?.model}@${input?.version}`, carried?.timeline);
    this.progress = carried?.progress ?? { ...undecided, toldToGiveWay: false, cancelled: false };
    this.begun = carried?.terms;
    this.recorded = new RecordedDecisions(this.promotionId, this.timeline, carried?.book);
    const giveWay = () => void (this.progress.toldToGiveWay = true);
    hearPeople({ recorded: this.recorded, giveWay, status: () => this.status() });
  }

  /** Only decisions end it before it moves traffic: a cancellation has no actor. */
  cancel(): void {
    if (this.progress.state === 'rolling-out') {
      this.progress.cancelled = true;
      this.rollout?.cancel();
    } else
      this.timeline.note(
        'a cancellation decides nothing: send Signal reject or withdraw with `{"actor": "you@example.com", ' +
          '"comment": "why"}`',
      );
  }

  async begin(): Promise<void> {
    if (!this.begun) {
      const request = await inputChecks().parsePromoteRequest(this.input);
      const { model, version, environment, requestedBy, policy } = request;
      const startedMs = Date.now();
      const asked: RequestedPromotion = {
        ...{ model, version, environment, requestedBy, alsoShadow: shadowsOf(request) },
        ...(request.stays && { stays: true }),
      };
      this.begun = { asked, policy, startedMs, deadlineMs: startedMs + request.expiresInMs };
      mark({ model, version: String(version), environment });
      const { workflowId } = workflowInfo();
      await quickActivities().openPromotion({
        id: this.promotionId,
        workflowId,
        model,
        version,
        environment,
        requestedBy,
      });
      return;
    }
    const { model, version, environment } = this.begun.asked;
    mark({
      model,
      version: String(version),
      environment,
      ...(this.progress.state !== 'gathering-evidence' && { outcome: this.progress.state }),
    });
  }

  async close({ state, reason }: PromotionEnd): Promise<PromotionResult> {
    this.recorded.close(`the promotion is over: ${state}`);
    await this.enter(state, reason);
    mark({ outcome: state });
    this.timeline.finished(`${state}: ${reason}`);
    await condition(() => allHandlersFinished() && this.recorded.settled);
    return { promotionId: this.promotionId, state, reason };
  }

  get terms(): PromotionTerms {
    if (!this.begun) throw new Error('the promotion has not begun');
    return this.begun;
  }

  private status(): PromotionStatus {
    const { promotionId, progress, recorded, begun: terms } = this;
    const { decisions, escalatedAt, evidenceSha256 } = recorded;
    const waits = terms !== undefined && progress.state === 'waiting-for-approval';
    const stillNeeded = waits ? filledSlots(terms.policy, decisions, escalatedAt !== null).missing : [];
    return { promotionId, state: progress.state, evidenceSha256, escalatedAt, stillNeeded, decisions: [...decisions] };
  }

  async enter(state: PromotionState, reason: string | null = null): Promise<void> {
    this.progress.state = state;
    await quickActivities().setPromotionState({ promotionId: this.promotionId, state, reason });
  }

  /** New evidence is needed: what was decided on the old one no longer counts. */
  gatherAgain(reason: string): undefined {
    this.recorded.close('new evidence is being gathered: read it and decide again');
    this.timeline.note(`evidence is stale (${reason}): decisions on it no longer count`);
    Object.assign(this.progress, undecided);
  }

  /** Goes on in a new run, with a history of its own; answers first what can be answered only here. */
  async carryOver(): Promise<never> {
    const book = await this.recorded.carryOver();
    await condition(allHandlersFinished);
    const { input, terms, progress, timeline } = this;
    return continueAsNew<Promotion>(input, { terms, progress, book, timeline: timeline.lines });
  }
}
