import { isCancellation, patched } from '@temporalio/workflow';
import { quickActivities } from '../activity-profiles.js';
import { failureCode, failureText } from '../failure-text.js';
import type { RolloutResult } from './rollout-progress.js';
import type { RolloutRun } from './rollout-run.js';
import { GoBack } from './rollout-commands.js';

/** Puts the champion back and ends only when every gateway serves it and it has answered. */
export async function goBack(rollout: RolloutRun, error: unknown): Promise<RolloutResult> {
  const { plan, progress, timeline } = rollout.known;
  const { champion } = plan;
  if (failureCode(error) === 'lease/lost') return rollout.end('aborted', failureText(error));
  const back =
    error instanceof GoBack ? error : new GoBack(isCancellation(error) ? 'aborted' : 'rolled-back', failureText(error));
  if (champion === null) return rollout.end('failed', `${back.message}; there is no earlier version to return to`);
  progress.back = { state: back.state, message: back.message };
  timeline.doing(`going back to version ${champion}: ${back.message}`);
  try {
    const refused = await putBack(rollout, champion, back.message);
    if (refused !== undefined)
      return rollout.end(
        back.state,
        `${back.message}; version ${champion} serves again and refused its probe: ${refused}`,
      );
  } catch (overtaken) {
    // A rollback that waited for too long has taken the lease and puts the champion back itself. Rollouts of 0.1.0
    // failed over it; theirs replay as they went.
    if (failureCode(overtaken) !== 'lease/lost' || !patched('overtaken-on-the-way-back')) throw overtaken;
    return rollout.end('aborted', `${back.message}; ${failureText(overtaken)}`);
  }
  return rollout.end(back.state, back.message);
}

/** @returns what a champion said that refused its probe: it serves, and there is nothing left to go back to. */
async function putBack(rollout: RolloutRun, champion: number, why: string): Promise<string | undefined> {
  const { progress, model, challenger, environment } = rollout.known;
  const { abortedBy } = rollout.commands.entries;
  const { epoch } = await quickActivities().writeRoute({
    environment,
    model,
    lease: progress.lease,
    target: { split: [{ version: champion, sharePct: 100 }] },
    reason: `back from ${model}@${challenger}: ${why}`,
    ...(abortedBy !== null && { by: { actor: abortedBy } }),
    idempotencyKey: `${rollout.rolloutId}/back`,
  });
  progress.epoch = epoch;
  await rollout.patiently(() => rollout.waits.waitUntilAcknowledged({ environment, model, epoch }));
  return (await rollout.patiently(() => rollout.waits.probe({ environment, model, version: champion }))).refused;
}
