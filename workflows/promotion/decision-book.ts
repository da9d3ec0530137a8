import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { Decision } from '../../domain/promotion/promotion.js';
import { saidProblem, shownSaid } from '../../domain/said.js';
import { quickActivities } from '../activity-profiles.js';
import type { DecisionAnswer, PromotionStatus } from '../messages.js';
import type { Timeline } from '../timeline.js';

const textRules = {
  decision: { max: 20 },
  actor: { max: 200, required: true },
  comment: { max: 4000 },
  evidenceSha256: { max: 64 },
  signature: { max: 4000 },
};
/** What is wrong with a decision's shape; a signal may carry anything. */
const decisionProblem = (decision: unknown): string | null => saidProblem(decision, textRules);

type RuledDecision = PromotionStatus['decisions'][number];

/**
 * Takes decisions one after the other: each is ruled on and written down by an activity before it changes anything
 * here.
 */
export class DecisionBook {
  /** Decisions on the evidence that is shown now. */
  decisions: RuledDecision[] = [];
  evidenceSha256: string | null = null;
  /** When others were asked too, because nobody decided; null until then. It outlasts new evidence. */
  escalatedAt: string | null = null;
  private closedBecause: string | null = null;
  private sequence = 0;
  private busy = false;

  constructor(
    private readonly promotionId: string,
    private readonly timeline: Timeline,
  ) {}

  /** Refuses what is not a decision at all, before anything is recorded. */
  static checkShape(this: void, decision: Decision): void {
    const bad = (message: string) => ApplicationFailure.nonRetryable(message, 'input/invalid');
    if (decision === null || typeof decision !== 'object')
      throw bad('a decision is an object: {"decision": "approve", "actor": "you@example.com", "comment": "…"}');
    if (!['approve', 'reject', 'withdraw'].includes(decision.decision))
      throw bad('decision: must be approve, reject or withdraw');
    const problem = decisionProblem(decision);
    if (problem !== null) throw bad(problem);
  }

  /** Opens the book on the evidence that is shown now: what was decided before no longer counts. */
  open(evidenceSha256: string): void {
    this.decisions = [];
    this.evidenceSha256 = evidenceSha256;
    this.closedBecause = null;
  }

  /** Lets nothing more count, once the ruling that goes on is done: what is counted then stays so. */
  async hold(because: string): Promise<void> {
    this.close(because);
    await condition(() => !this.busy);
  }

  close(because: string): void {
    this.closedBecause = because;
  }

  /**
   * Rules on a decision and records it, counted or not; the answer says why. One at a time, in the order in which they
   * came.
   */
  async rule(decision: Decision, via: 'update' | 'signal'): Promise<DecisionAnswer> {
    const sequence = ++this.sequence;
    await condition(() => !this.busy && (this.evidenceSha256 !== null || this.closedBecause !== null));
    this.busy = true;
    try {
      // What did not count decides nothing, and there may be any number of it.
      const earlier = this.decisions.filter((one) => one.counted).map(({ reason: _, ...one }) => one);
      const problem = decisionProblem(decision);
      const said =
        problem === null
          ? decision
          : { decision: decision.decision, actor: 'unreadable', comment: shownSaid(decision) };
      const ruling = await quickActivities().ruleOnDecision({
        promotionId: this.promotionId,
        sequence,
        decision: said,
        via,
        earlier,
        shownEvidenceSha256: this.evidenceSha256,
        escalated: this.escalatedAt !== null,
        closedBecause: problem === null ? this.closedBecause : `it is not a decision: ${problem}`,
      });
      this.decisions.push(ruling);
      this.timeline.note(
        `${ruling.actor}: ${ruling.decision} by ${via} — ` +
          `${ruling.counted ? 'counted' : 'NOT counted'}: ${ruling.reason}`,
      );
      return { counted: ruling.counted, reason: ruling.reason };
    } finally {
      this.busy = false;
    }
  }

  /** The policy itself lets the version in; recorded like any decision. */
  async ruleByPolicy(reason: string): Promise<void> {
    await quickActivities().recordPolicyApproval({
      promotionId: this.promotionId,
      sequence: ++this.sequence,
      evidenceSha256: this.evidenceSha256,
      reason,
    });
    this.timeline.finished(`approved by policy: ${reason}`);
  }

  get approvers(): string[] {
    return this.decisions.filter((one) => one.counted && one.decision === 'approve').map((one) => one.actor);
  }

  get lastReason(): string {
    const last = this.decisions.findLast((one) => one.counted);
    return last ? `${last.decision} by ${last.actor}` : 'no decision';
  }
}

/**
 * A signal as a decision, whatever it carries: what is no object is kept under a name that no decision has, so that it
 * is recorded as it came.
 */
export function asDecision(message: unknown, decision: Decision['decision']): Decision {
  const said = message !== null && typeof message === 'object' && !Array.isArray(message) ? message : { said: message };
  return { ...said, decision } as Decision;
}
