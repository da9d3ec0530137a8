import { condition } from '@temporalio/workflow';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { promotionStanding } from '../../domain/promotion/promotion-standing.js';
import { quickActivities } from '../activity-profiles.js';
import type { DecisionBook } from './decision-book.js';
import type { Timeline } from '../timeline.js';

interface Waiting {
  book: DecisionBook;
  policy: PromotionPolicy;
  promotionId: string;
  timeline: Timeline;
  /** When the promotion was asked for, and when it expires: new evidence moves neither. */
  startedMs: number;
  deadlineMs: number;
}

const hourMs = 3_600_000;

/** The wait for people, on durable timers: reminders, the escalation to others, the end. */
export class DecisionWait {
  private readonly escalateAtMs: number;

  constructor(private readonly waiting: Waiting) {
    const { policy, startedMs } = waiting;
    this.escalateAtMs =
      policy.escalateAfterHours === undefined ? Infinity : startedMs + policy.escalateAfterHours * hourMs;
  }

  /** Returns when it has been decided, the time is over, or `interrupted` holds. */
  async untilDecided(interrupted: () => boolean): Promise<void> {
    const { policy, deadlineMs, promotionId, timeline } = this.waiting;
    const remindMs = policy.remindAfterHours * hourMs;
    let remindAtMs = Date.now() + remindMs;
    for (;;) {
      if (Date.now() >= deadlineMs) return;
      const escalates = !this.escalated && this.escalateAtMs <= Math.min(remindAtMs, deadlineMs);
      const wakeAtMs = escalates ? this.escalateAtMs : Math.min(remindAtMs, deadlineMs);
      const summary =
        'waits for people; ' +
        `${escalates ? 'others are asked too' : wakeAtMs === deadlineMs ? 'expires' : 'reminds them'} at ` +
        `${new Date(wakeAtMs).toISOString()}`;
      if (await condition(() => this.decided || interrupted(), Math.max(wakeAtMs - Date.now(), 1), { summary })) return;
      if (Date.now() >= deadlineMs) return;
      if (escalates) await this.escalate();
      else {
        await quickActivities().remind({ promotionId });
        timeline.note(`reminder at ${new Date(Date.now()).toISOString()}: still waiting for a decision`);
        remindAtMs = Date.now() + remindMs;
      }
    }
  }

  private get escalated(): boolean {
    return this.waiting.book.escalatedAt !== null;
  }

  private get decided(): boolean {
    const { policy, book } = this.waiting;
    return promotionStanding(policy, book.decisions, this.escalated) !== 'waiting';
  }

  /** Others may approve from now on. Written down first, so that a ruling and the last check see the same. */
  private async escalate(): Promise<void> {
    const { book, policy, promotionId, timeline } = this.waiting;
    await quickActivities().escalate({ promotionId });
    book.escalatedAt = new Date(Date.now()).toISOString();
    timeline.note(`escalated at ${book.escalatedAt}: ${policy.escalateTo?.join(' or ')} may approve too`);
  }
}
