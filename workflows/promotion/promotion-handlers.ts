import { CancellationScope, setHandler } from '@temporalio/workflow';
import { RecordedDecisions } from './recorded-decisions.js';
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
  recorded,
  giveWay,
  status,
}: {
  recorded: RecordedDecisions;
  giveWay: () => void;
  status: () => PromotionStatus;
}): void {
  setHandler(decidePromotionUpdate, (decision) => CancellationScope.nonCancellable(() => recorded.rule(decision)), {
    validator: RecordedDecisions.checkShape,
  });
  for (const [signal, decision] of [
    [approveSignal, 'approve'],
    [rejectSignal, 'reject'],
    [withdrawSignal, 'withdraw'],
  ] as const) {
    setHandler(signal, (message: unknown) => CancellationScope.nonCancellable(() => recorded.hear(message, decision)));
  }
  setHandler(giveWaySignal, giveWay);
  setHandler(promotionStatusQuery, status);
}
