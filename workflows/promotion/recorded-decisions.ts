import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { Decision } from '../../domain/promotion/promotion.js';
import { messageProblem, messageExcerpt } from '../../domain/workflow-message.js';
import { quickActivities } from '../activity-profiles.js';
import type { DecisionAnswer, PromotionStatus } from '../messages.js';
import type { Timeline } from '../timeline.js';
import { Mutex } from '../mutex.js';

const textRules = {
  decision: { max: 20 },
  actor: { max: 200, required: true },
  comment: { max: 4000 },
  evidenceSha256: { max: 64 },
  signature: { max: 4000 },
};
/** What is wrong with a decision's shape; a signal may carry anything. */
const decisionProblem = (decision: unknown): string | null => messageProblem(decision, textRules);

type RuledDecision = PromotionStatus['decisions'][number];

/** A decision that can be ruled on: what has another shape stands as an unreadable one, with what is wrong. */
interface HeardDecision {
  said: Decision;
  problem: string | null;
}

/** What is known of a promotion's decisions; carried over when it continues as new. */
export interface DecisionsSoFar {
  decisions: RuledDecision[];
  evidenceSha256: string | null;
  escalatedAt: string | null;
  closedBecause: string | null;
  sequence: number;
  /** Signals that nobody has ruled on yet. */
  unruled: HeardDecision[];
}

const noDecisions: DecisionsSoFar = {
  decisions: [],
  evidenceSha256: null,
  escalatedAt: null,
  closedBecause: null,
  sequence: 0,
  unruled: [],
};

/** Decisions that did not count and are still shown; each has its row. */
const refusedMax = 20;
/** So much of what nobody has ruled on may be carried over: an input has a limit of two megabytes. */
const unruledCharactersMax = 400_000;

/**
 * Takes decisions one after the other: each is ruled on and written down by an activity before it changes anything
 * here.
 */
export class RecordedDecisions {
  private readonly entries: DecisionsSoFar;
  private readonly mutex = new Mutex();
  private carriesOver = false;

  constructor(
    private readonly promotionId: string,
    private readonly timeline: Timeline,
    carried: DecisionsSoFar = noDecisions,
  ) {
    this.entries = { ...carried, unruled: [] };
    for (const heard of carried.unruled) void this.ruleOnSignal(heard);
  }

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

  /** Decisions on the evidence that is shown now: all that count, and the newest of those that do not. */
  get decisions(): readonly RuledDecision[] {
    return this.entries.decisions;
  }

  get evidenceSha256(): string | null {
    return this.entries.evidenceSha256;
  }

  /** When others were asked too, because nobody decided; null until then. It outlasts new evidence. */
  get escalatedAt(): string | null {
    return this.entries.escalatedAt;
  }

  escalate(at: string): void {
    this.entries.escalatedAt = at;
  }

  /** Starts anew on the evidence that is shown now: what was decided before no longer counts. */
  open(evidenceSha256: string): void {
    Object.assign(this.entries, { decisions: [], evidenceSha256, closedBecause: null });
  }

  /** Lets nothing more count, once the ruling that goes on is done: what is counted then stays so. */
  async hold(because: string): Promise<void> {
    this.close(because);
    await condition(() => this.mutex.free);
  }

  close(because: string): void {
    this.entries.closedBecause = because;
  }

  /** Whether every signal has been ruled on. */
  get settled(): boolean {
    return this.mutex.free && this.entries.unruled.length === 0;
  }

  /** What the next run goes on with, once the ruling that goes on is done: signals that wait for theirs go with it. */
  async carryOver(): Promise<DecisionsSoFar> {
    await condition(() => JSON.stringify(this.entries.unruled).length <= unruledCharactersMax);
    this.carriesOver = true;
    await condition(() => this.mutex.free);
    return this.entries;
  }

  /** Rules on a decision that came by Update; the answer says whether it counts, and why. */
  async rule(decision: Decision): Promise<DecisionAnswer> {
    const answer = await this.ruleInTurn(heard(decision), 'update');
    if (!answer)
      throw ApplicationFailure.nonRetryable('the promotion did not process it: decide again', 'promotion/closed');
    return answer;
  }

  /** Rules on a decision that came by Signal, whatever it carries. */
  async hear(message: unknown, decision: Decision['decision']): Promise<void> {
    await this.ruleOnSignal(heard(asDecision(message, decision)));
  }

  /** The policy itself lets the version in; recorded like any decision. */
  async ruleByPolicy(reason: string): Promise<void> {
    await quickActivities().recordPolicyApproval({
      promotionId: this.promotionId,
      sequence: ++this.entries.sequence,
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

  private async ruleOnSignal(decision: HeardDecision): Promise<void> {
    const { unruled } = this.entries;
    unruled.push(decision);
    const ruled = await this.ruleInTurn(decision, 'signal');
    if (ruled) unruled.splice(unruled.indexOf(decision), 1);
  }

  /** One at a time, in the order in which they came. Undefined where the next run rules on it. */
  private ruleInTurn(decision: HeardDecision, via: 'update' | 'signal'): Promise<DecisionAnswer | undefined> {
    const ready = () => this.evidenceSha256 !== null || this.entries.closedBecause !== null;
    const left = () => this.carriesOver && via === 'signal';
    return this.mutex.take(() => this.ruleOn(decision, via), { ready, left });
  }

  private async ruleOn({ said, problem }: HeardDecision, via: 'update' | 'signal'): Promise<DecisionAnswer> {
    const { entries } = this;
    // What did not count decides nothing, and there may be any number of it.
    const earlier = entries.decisions.filter((one) => one.counted).map(({ reason: _, ...one }) => one);
    const ruling = await quickActivities().ruleOnDecision({
      promotionId: this.promotionId,
      sequence: ++entries.sequence,
      decision: said,
      via,
      earlier,
      shownEvidenceSha256: entries.evidenceSha256,
      escalated: entries.escalatedAt !== null,
      closedBecause: problem === null ? entries.closedBecause : `it is not a decision: ${problem}`,
    });
    const refused = entries.decisions.filter((one) => !one.counted).slice(0, -refusedMax + 1);
    entries.decisions = [...entries.decisions.filter((one) => !refused.includes(one)), ruling];
    this.timeline.note(
      `${ruling.actor}: ${ruling.decision} by ${via} — ` +
        `${ruling.counted ? 'counted' : 'NOT counted'}: ${ruling.reason}`,
    );
    return { counted: ruling.counted, reason: ruling.reason };
  }
}

function heard(decision: Decision): HeardDecision {
  const problem = decisionProblem(decision);
  return problem === null
    ? { said: decision, problem }
    : { said: { decision: decision.decision, actor: 'unreadable', comment: messageExcerpt(decision) }, problem };
}

/**
 * A signal as a decision, whatever it carries: what is no object is kept under a name that no decision has, so that it
 * is recorded as it came.
 */
function asDecision(message: unknown, decision: Decision['decision']): Decision {
  const said = message !== null && typeof message === 'object' && !Array.isArray(message) ? message : { said: message };
  return { ...said, decision } as Decision;
}
