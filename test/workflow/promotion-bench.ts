import { randomUUID } from 'node:crypto';
import type { promoteModel } from '../../workflows/promotion/promote-model.js';
import { promotionStatusQuery } from '../../workflows/messages.js';
import { eventually, type Bench } from '../support/temporal-environment.js';
import type { FakeWorld } from '../support/fakes/fake-world.js';

export type PromotionHandle = Awaited<ReturnType<typeof startPromotion>>;

/** A model and a version of its own each time: the workflow ids of children are made of them. */
export const ownRequest = (more: object = {}) => ({
  model: `m-${randomUUID().slice(0, 8)}`,
  version: 2,
  requestedBy: 'rita',
  ...more,
});

const startPromotion = (bench: Bench, taskQueue: string, request: ReturnType<typeof ownRequest>) =>
  bench.client.workflow.start<typeof promoteModel>('promoteModel', {
    taskQueue,
    workflowId: `promote-${randomUUID()}`,
    args: [request],
  });

/** Runs a promotion of version 2, asked for by rita. */
export function promotion<T>(
  bench: Bench,
  world: FakeWorld,
  work: (handle: PromotionHandle, restart: () => Promise<void>) => Promise<T>,
  { cached = true, request = ownRequest() }: { cached?: boolean; request?: ReturnType<typeof ownRequest> } = {},
): Promise<T> {
  return bench.withWorkers(
    world,
    async (taskQueue, restart) => work(await startPromotion(bench, taskQueue, request), restart),
    { cached },
  );
}

export const untilWaiting = (handle: PromotionHandle) =>
  eventually(
    'the promotion waits for approval',
    async () => (await handle.query(promotionStatusQuery)).state,
    (state) => state === 'waiting-for-approval',
  );

/** What the Temporal UI shows as the workflow's details. */
export async function detailsOf(handle: PromotionHandle): Promise<string> {
  const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return currentDetails ?? '';
}
