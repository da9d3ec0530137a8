import { CancellationScope } from '@temporalio/workflow';
import type { RolloutRequest } from '../../domain/requests.js';
import type { RolloutProgress, RolloutResult } from './rollout-progress.js';
import { RolloutRun } from './rollout-run.js';

/**
 * Moves a route from champion to challenger stage by stage; goes back, proven by the gateways, when the judge or a
 * person says so.
 */
export async function rolloutModel(input: RolloutRequest, carried?: RolloutProgress): Promise<RolloutResult> {
  const rollout = new RolloutRun(input);
  await rollout.begin(carried);
  try {
    for (let stage = rollout.stage; stage; stage = rollout.nextStage()) {
      await rollout.heedPeople();
      await rollout.putInForce(stage);
      await rollout.watch(stage);
    }
    return await rollout.complete();
  } catch (error) {
    if (error instanceof Error && error.name === 'ContinueAsNew') throw error;
    return await CancellationScope.nonCancellable(() => rollout.goBack(error));
  } finally {
    await CancellationScope.nonCancellable(() => rollout.giveLeaseBack());
  }
}
