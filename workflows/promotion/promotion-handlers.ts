import { CancellationScope, setHandler } from '@temporalio/workflow';
import { DecisionBook } from './decision-book.js';
import {
  approveSignal,
  decidePromotionUpdate,
  giveWaySignal,
  promotionStatusQuery,
  rejectSignal,
  withdrawSignal,
  type PromotionStatus,
} from '../messages.js';

/** Everything that may be said to a promotion, from its first task on. */
export function hearPeople({
  book,
  giveWay,
  status,
}: {
  book: DecisionBook;
  giveWay: () => void;
  status: () => PromotionStatus;
}): void {
  setHandler(decidePromotionUpdate, (decision) => CancellationScope.nonCancellable(() => book.rule(decision)), {
    validator: DecisionBook.checkShape,
  });
  for (const [signal, decision] of [
    [approveSignal, 'approve'],
    [rejectSignal, 'reject'],
    [withdrawSignal, 'withdraw'],
  ] as const) {
    setHandler(signal, (message: unknown) => CancellationScope.nonCancellable(() => book.hear(message, decision)));
  }
  setHandler(giveWaySignal, giveWay);
  setHandler(promotionStatusQuery, status);
}
