import { condition, patched } from '@temporalio/workflow';
import { growingPauseMs } from '../../domain/growing-pause.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { approvalState } from '../../domain/promotion/approval-state.js';
import { quickActivities } from '../activity-profiles.js';
import type { RecordedDecisions } from './recorded-decisions.js';
import type { Timeline } from '../timeline.js';

interface Waiting {
  recorded: RecordedDecisions;
  policy: PromotionPolicy;
  promotionId: string;
  timeline: Timeline;
  /** When the promotion was asked for, and when it expires: new evidence moves neither. */
  startedMs: number;
  deadlineMs: number;
  /** When the next reminder is due, where a run before has settled it. */
  remindAtMs: number | null;
}

const hourMs = 3_600_000;

/** The wait for people, on durable timers: reminders, the escalation to others, the end. */
export class DecisionWait {
  private readonly escalateAtMs: number;
  /** Promotions of 0.1.0 reminded at a fixed pace, and anew after each nudge; theirs replay as they went. */
  private readonly remindsByAge = patched('reminders-by-age');
  /** When the next reminder is due. */
  remindAtMs: number;

  constructor(private readonly waiting: Waiting) {
    const { policy, startedMs, remindAtMs } = waiting;
    this.escalateAtMs =
      policy.escalateAfterHours === undefined ? Infinity : startedMs + policy.escalateAfterHours * hourMs;
    this.remindAtMs = remindAtMs ?? this.nextReminderMs();
  }

  /** Whether the time for deciding is over. */
  get expired(): boolean {
    return Date.now() >= this.waiting.deadlineMs;
  }

  /** Where the promotion stands after the decisions so far. */
  get standing(): ReturnType<typeof approvalState> {
    const { policy, recorded } = this.waiting;
    return approvalState(policy, recorded.decisions, this.escalated);
  }

  /** Returns when it has been decided, the time is over, or `interrupted` holds. */
  async untilDecided(interrupted: () => boolean): Promise<void> {
    const { deadlineMs, promotionId, timeline } = this.waiting;
    if (!this.remindsByAge) this.remindAtMs = this.nextReminderMs();
    while (!this.expired) {
      const escalates = !this.escalated && this.escalateAtMs <= Math.min(this.remindAtMs, deadlineMs);
      const wakeAtMs = escalates ? this.escalateAtMs : Math.min(this.remindAtMs, deadlineMs);
      const summary =
        'waiting for a decision; ' +
        `${escalates ? 'escalates' : wakeAtMs === deadlineMs ? 'expires' : 'reminder'} at ` +
        `${new Date(wakeAtMs).toISOString()}`;
      const decided = () => this.standing !== 'waiting' || interrupted();
      if (await condition(decided, Math.max(wakeAtMs - Date.now(), 1), { summary })) return;
      if (this.expired) return;
      if (escalates) await this.escalate();
      else {
        await quickActivities().remind({ promotionId });
        timeline.note(`reminder at ${new Date(Date.now()).toISOString()}: still waiting for a decision`);
        this.remindAtMs = this.nextReminderMs();
      }
    }
  }

  /** One that waits for long is reminded of less often: after a twentieth of its age. */
  private nextReminderMs(): number {
    const { policy, startedMs } = this.waiting;
    const now = Date.now();
    const leastMs = policy.remindAfterHours * hourMs;
    return now + (this.remindsByAge ? growingPauseMs(now - startedMs, { leastMs }) : leastMs);
  }

  private get escalated(): boolean {
    return this.waiting.recorded.escalatedAt !== null;
  }

  /** Others may approve from now on. Written down first, so that a ruling and the last check see the same. */
  private async escalate(): Promise<void> {
    const { recorded, policy, promotionId, timeline } = this.waiting;
    await quickActivities().escalate({ promotionId });
    const at = new Date(Date.now()).toISOString();
    recorded.escalate(at);
    timeline.note(`escalated at ${at}: ${policy.escalateTo?.join(' or ')} may approve too`);
  }
}
