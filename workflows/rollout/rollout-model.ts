import { CancellationScope, ContinueAsNew } from '@temporalio/workflow';
import type { RolloutRequest } from '../../domain/workflow-inputs.js';
import type { CarriedRollout, RolloutResult } from './rollout-progress.js';
import { RolloutRun } from './rollout-run.js';
import { goBack } from './rollout-return.js';
import { complete, heedPeople, putInForce, watchStage } from './rollout-stages.js';
import { GoBack } from './rollout-commands.js';

/**
 * Moves a route from champion to challenger stage by stage; goes back, proven by the gateways, when the judge or a
 * person says so.
 */
export async function rolloutModel(input: RolloutRequest, carried?: CarriedRollout): Promise<RolloutResult> {
  const rollout = new RolloutRun(input, carried);
  await rollout.begin();
  try {
    const { back } = rollout.known.progress;
    if (back) throw new GoBack(back.state, back.message);
    for (let stage = rollout.stage; stage; stage = rollout.nextStage()) {
      if (!rollout.goesOnInStage) await heedPeople(rollout);
      await putInForce(rollout, stage);
      await watchStage(rollout, stage);
    }
    return await complete(rollout);
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    return await CancellationScope.nonCancellable(() => goBack(rollout, error));
  } finally {
    await CancellationScope.nonCancellable(() => rollout.giveLeaseBack());
  }
}
