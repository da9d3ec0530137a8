import { condition, continueAsNew } from '@temporalio/workflow';

/** Continues as new once, then waits for ever: the shape of a rollout whose history grew long. */
export async function continuesOnce(again: boolean): Promise<void> {
  if (!again) await continueAsNew<typeof continuesOnce>(true);
  await condition(() => false);
}
