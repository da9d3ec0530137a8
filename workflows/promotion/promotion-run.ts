import {
  allHandlersFinished,
  condition,
  continueAsNew,
  ParentClosePolicy,
  patched,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { requirementsOf, requirementText } from '../../domain/promotion/approval-places.js';
import { workflowIds } from '../../domain/ids.js';
import { needsNoApproval, standingPlaces } from '../../domain/promotion/promotion-standing.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import type { PromoteRequest } from '../../domain/requests.js';
import { evidence, quickActivities, inputChecks } from '../activity-profiles.js';
import { DecisionBook } from './decision-book.js';
import { DecisionWait } from './decision-wait.js';
import { historyIsLong } from '../long-history.js';
import type { PromotionStatus } from '../messages.js';
import { shadowsOf } from './planned-before.js';
import type { RolloutResult } from '../rollout/rollout-progress.js';
import { isAlreadyStarted } from '../started-before.js';
import { mark, Timeline } from '../timeline.js';
import { hearPeople } from './promotion-handlers.js';
import {
  undecided,
  type CarriedPromotion,
  type PromotionProgress,
  type PromotionResult,
  type PromotionTerms,
} from './promotion-progress.js';
import { PromotionRollout } from './promotion-rollout.js';

/** The workflow, in its first run or a later one. */
type Promotion = (input: PromoteRequest, carried?: CarriedPromotion) => Promise<PromotionResult>;

/** How a promotion ends. */
interface PromotionEnd {
  state: PromotionState;
  reason: string;
}

/**
 * One promotion under way: what was shown, who decided what, and the rollout that carries it out. Each part of the
 * story gives its end, where it ends there.
 */
export class PromotionRun {
  private readonly promotionId = workflowInfo().firstExecutionRunId;
  private readonly timeline: Timeline;
  private readonly book: DecisionBook;
  private readonly progress: PromotionProgress;
  private terms: PromotionTerms | undefined;
  private rollout: PromotionRollout | undefined;

  constructor(
    private readonly input: PromoteRequest,
    carried: CarriedPromotion | undefined,
  ) {
    this.timeline = new Timeline(`Promotion of ${input?.model}@${input?.version}`, carried?.timeline);
    this.progress = carried?.progress ?? { ...undecided, toldToGiveWay: false, cancelled: false };
    this.terms = carried?.terms;
    this.book = new DecisionBook(this.promotionId, this.timeline, carried?.book);
    const giveWay = () => void (this.progress.toldToGiveWay = true);
    hearPeople({ book: this.book, giveWay, status: () => this.status() });
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
    if (!this.terms) {
      const request = await inputChecks().parsePromoteRequest(this.input);
      const { model, version, environment, requestedBy, policy } = request;
      const startedMs = Date.now();
      const asked = { model, version, environment, requestedBy, alsoShadow: shadowsOf(request) };
      this.terms = { asked, policy, startedMs, deadlineMs: startedMs + request.expiresInMs };
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
    const { model, version, environment } = this.terms.asked;
    mark({
      model,
      version: String(version),
      environment,
      ...(this.progress.state !== 'gathering-evidence' && { outcome: this.progress.state }),
    });
  }

  /** Gathers evidence and shows it to those who decide, unless it is shown. */
  async showEvidence(): Promise<PromotionEnd | undefined> {
    const { progress, timeline, book } = this;
    const { terms } = this.known;
    if (progress.shown) return undefined;
    if (book.evidenceSha256 !== null && historyIsLong()) await this.carryOver();
    const { model, version, environment } = terms.asked;
    timeline.doing('gathering evidence: candidate against champion on the same holdout');
    const shown = await evidence().gatherEvidence({ promotionId: this.promotionId, model, version, environment });
    terms.policy = shown.policy ?? terms.policy;
    if (shown.conflict) return { state: 'superseded', reason: shown.conflict };
    timeline.finished(`evidence ${shown.evidenceSha256.slice(0, 12)}: ${shown.summary}`);
    book.open(shown.evidenceSha256);
    progress.shown = { champion: shown.champion, notBefore: shown.notBefore };
    // Those who decide see one candidate for a place, the newest.
    if (patched('older-give-way')) {
      const { versions } = await quickActivities().supersedeOlder({ promotionId: this.promotionId });
      if (versions.length > 0) timeline.note(`takes the place of version ${versions.join(', ')}, which waited`);
    }
    return undefined;
  }

  /** Waits until the version may come in: by its policy alone, or by the decisions that it asks for. */
  async decide(): Promise<PromotionEnd | undefined> {
    const { progress } = this;
    if (!progress.shown || progress.state === 'rolling-out') return undefined;
    const { champion } = progress.shown;
    return needsNoApproval(this.known.terms.policy, champion) ? this.letIn(champion) : this.askPeople();
  }

  /** Checks that what was shown still holds, rolls the version out, and asks for the next environment. */
  async carryOut(): Promise<PromotionEnd | undefined> {
    const { progress, timeline, book, promotionId } = this;
    const { asked } = this.known.terms;
    if (progress.state !== 'rolling-out') {
      const { holds, reason } = await quickActivities().verifyPromotion({ promotionId });
      if (!holds) return this.gatherAgain(reason);
      book.close('it is approved: to stop it now, abort the rollout or roll back');
      await this.enter('rolling-out');
      if (patched('marks-waiting')) mark({ outcome: 'rolling-out' });
      timeline.doing(`rolling out to ${asked.environment}`);
    }
    const rollout = await this.rollOut();
    if ('stale' in rollout) return this.gatherAgain(rollout.stale);
    if (rollout.state !== 'completed')
      return { state: rollout.state === 'failed' ? 'failed' : 'rolled-back', reason: rollout.reason };
    timeline.finished(`serves in ${asked.environment} since epoch ${rollout.epoch}`);
    await this.askForNext();
    return { state: 'promoted', reason: `${asked.model}@${asked.version} is champion in ${asked.environment}` };
  }

  async close({ state, reason }: PromotionEnd): Promise<PromotionResult> {
    this.book.close(`the promotion is over: ${state}`);
    await this.enter(state, reason);
    mark({ outcome: state });
    this.timeline.finished(`${state}: ${reason}`);
    await condition(() => allHandlersFinished() && this.book.settled);
    return { promotionId: this.promotionId, state, reason };
  }

  private get known(): { terms: PromotionTerms } {
    if (!this.terms) throw new Error('the promotion has not begun');
    return { terms: this.terms };
  }

  private status(): PromotionStatus {
    const { promotionId, progress, book, terms } = this;
    const { decisions, escalatedAt, evidenceSha256 } = book;
    const waits = terms !== undefined && progress.state === 'waiting-for-approval';
    const stillNeeded = waits ? standingPlaces(terms.policy, decisions, escalatedAt !== null).missing : [];
    return { promotionId, state: progress.state, evidenceSha256, escalatedAt, stillNeeded, decisions: [...decisions] };
  }

  private async enter(state: PromotionState, reason: string | null = null): Promise<void> {
    this.progress.state = state;
    await quickActivities().setPromotionState({ promotionId: this.promotionId, state, reason });
  }

  private async letIn(champion: number | null): Promise<PromotionEnd | undefined> {
    const { book } = this;
    const stopped = () => book.decisions.some((one) => one.counted && one.decision !== 'approve');
    await this.untilCutOver(stopped);
    if (this.progress.shown?.notBefore !== undefined && stopped())
      return { state: 'withdrawn', reason: book.lastReason };
    await book.hold('the policy lets this version in without an approval');
    await book.ruleByPolicy(
      champion === null ? 'first version of an empty environment' : 'the policy asks for no approval',
    );
    return undefined;
  }

  private async askPeople(): Promise<PromotionEnd | undefined> {
    const { progress, timeline, book, promotionId } = this;
    const { policy, startedMs, deadlineMs } = this.known.terms;
    if (progress.state !== 'waiting-for-approval') {
      await this.enter('waiting-for-approval');
      // The list in the Temporal UI then says which workflow waits for a person.
      if (patched('marks-waiting')) mark({ outcome: 'waiting-for-approval' });
    }
    timeline.doing(
      `waiting for approvals, ${requirementText(requirementsOf(policy, book.escalatedAt !== null))}: Update ` +
        `decidePromotion, or Signal approve or reject with \`{"actor": "you@example.com", "comment": "why"}\``,
    );
    const wait = new DecisionWait({
      book,
      policy,
      promotionId,
      timeline,
      startedMs,
      deadlineMs,
      remindAtMs: progress.remindAtMs,
    });
    while (progress.newer === null) {
      await wait.untilDecided(() => progress.toldToGiveWay || historyIsLong());
      progress.remindAtMs = wait.remindAtMs;
      if (progress.toldToGiveWay) {
        progress.toldToGiveWay = false;
        progress.newer = (await quickActivities().supersededBy({ promotionId })).version;
      } else if (wait.standing === 'waiting' && !wait.expired) await this.carryOver();
      else break;
    }
    await this.untilCutOver(() => wait.standing !== 'approved');
    await book.hold('the promotion has been decided');
    const { standing } = wait;
    if (standing === 'waiting' && progress.newer !== null)
      return { state: 'superseded', reason: `version ${progress.newer} was asked for after it` };
    if (standing === 'waiting')
      return { state: 'expired', reason: `no decision within ${policy.expireAfterHours} hours` };
    if (standing !== 'approved') return { state: standing, reason: book.lastReason };
    timeline.finished(`approved by ${book.approvers.join(', ')}`);
    return undefined;
  }

  /** Waits for the moment of a declared cut-over. Until then it can still be stopped. */
  private async untilCutOver(stopped: () => boolean): Promise<void> {
    const notBefore = this.progress.shown?.notBefore;
    const waitMs = notBefore === undefined ? 0 : Date.parse(notBefore) - Date.now();
    if (waitMs <= 0 || stopped()) return;
    this.timeline.doing(`approved; waits for its cut-over at ${notBefore}. Until then it can be withdrawn.`);
    await condition(() => stopped() || historyIsLong(), waitMs);
    if (!stopped() && historyIsLong()) await this.carryOver();
  }

  private async rollOut(): Promise<RolloutResult | { stale: string }> {
    const { progress, timeline, promotionId } = this;
    const { model, version, environment, alsoShadow } = this.known.terms.asked;
    const args = { model, version, environment, promotionId, ...(alsoShadow.length > 0 && { alsoShadow }) };
    this.rollout = new PromotionRollout(args, {
      onQueued: () =>
        timeline.doing(
          `approved; waits for another rollout of ${model} in ${environment} to end, then goes on by itself`,
        ),
      onBegun: (rolloutId) => void (progress.rolloutId = rolloutId),
      cancelled: () => progress.cancelled,
      carryOver: () => this.carryOver(),
    });
    return progress.rolloutId === null ? this.rollout.run() : this.rollout.resume(progress.rolloutId);
  }

  private async askForNext(): Promise<void> {
    const { policy, asked } = this.known.terms;
    const { model, version, requestedBy, alsoShadow } = asked;
    const environment = policy.environments[policy.environments.indexOf(asked.environment) + 1];
    if (!environment) return;
    try {
      await startChild<Promotion>('promoteModel', {
        workflowId: workflowIds.promote(model, version, environment),
        args: [{ model, version, environment, requestedBy, ...(alsoShadow.length > 0 && { alsoShadow }) }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `${model}@${version} to ${environment}`,
      });
    } catch (error) {
      if (!isAlreadyStarted(error)) throw error;
    }
  }

  private gatherAgain(reason: string): undefined {
    this.book.close('new evidence is being gathered: read it and decide again');
    this.timeline.note(`evidence is out of date (${reason}): decisions on it no longer count`);
    Object.assign(this.progress, undecided);
  }

  /** Goes on in a new run, with a history of its own; answers first what can be answered only here. */
  private async carryOver(): Promise<never> {
    const book = await this.book.carryOver();
    await condition(allHandlersFinished);
    const { input, progress, timeline } = this;
    return continueAsNew<Promotion>(input, { ...this.known, progress, book, timeline: timeline.lines });
  }
}
