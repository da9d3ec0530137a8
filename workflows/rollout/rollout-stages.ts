import { condition, ParentClosePolicy, patched, startChild, workflowInfo } from '@temporalio/workflow';
import { workflowIds } from '../../domain/ids.js';
import { lookAfterSeconds, moveAfterLook, type RolloutMove } from '../../domain/rollout/move-after-look.js';
import { rolloutReason } from '../../domain/serving/route.js';
import { quickActivities, lookActivities } from '../activity-profiles.js';
import { historyIsLong } from '../long-history.js';
import { reviewRollout } from './review-rollout.js';
import type { RolloutResult } from './rollout-progress.js';
import type { PlannedStage, RolloutRun } from './rollout-run.js';
import { isAlreadyStarted } from '../already-started.js';
import { GoBack } from './rollout-commands.js';

/** Goes back, or waits, where a person asked for it before this stage. */
export async function heedPeople(rollout: RolloutRun): Promise<void> {
  const { commands } = rollout;
  commands.checkAborted();
  if (commands.paused) {
    await waitWhilePaused(rollout);
    commands.takeAdvance();
  }
  commands.checkAborted();
}

/** Writes the stage's route and waits until every gateway serves it; a challenger that stands by must answer too. */
export async function putInForce(rollout: RolloutRun, stage: PlannedStage): Promise<void> {
  const { progress, plan, model, challenger, environment, timeline } = rollout.known;
  if (progress.epoch === null) {
    const label = rollout.label(stage);
    const moved = rollout.commands.takeMovedBy();
    timeline.doing(`${label}: route written, waiting for gateways`);
    const { epoch } = await quickActivities().writeRoute({
      environment,
      model,
      lease: progress.lease,
      target: { rolloutId: rollout.rolloutId, stage: progress.step },
      reason: moved
        ? `${rolloutReason(model, challenger, label)}; ${moved.words}`
        : rolloutReason(model, challenger, label),
      ...(moved && { by: { actor: moved.actor } }),
      idempotencyKey: `${rollout.rolloutId}/step-${progress.step}`,
    });
    progress.epoch = epoch;
    progress.acknowledged = false;
    await rollout.enter('running', null);
  }
  // Version 0.1.0 carried over only what gateways had acknowledged.
  if (progress.acknowledged ?? true) return;
  const waitAtMostSeconds = plan.acknowledgeWithinSeconds;
  const { epoch } = progress;
  const acknowledged = await rollout.untilAborted(() =>
    rollout.waits.waitForAcknowledgement({ environment, model, epoch, waitAtMostSeconds }),
  );
  if (!acknowledged.all)
    throw new GoBack('rolled-back', `not every gateway serves epoch ${epoch}: ${acknowledged.missing}`);
  timeline.finished(`${rollout.label(stage)}: epoch ${epoch} acknowledged by ${acknowledged.gateways}`);
  if (stage.kind === 'standby') await probeChallenger(rollout);
  progress.acknowledged = true;
}

/**
 * Looks again and again until the stage passes, somebody advances it, or it goes back. A stage that compares with
 * nothing is not watched.
 */
export async function watchStage(rollout: RolloutRun, stage: PlannedStage): Promise<void> {
  const { progress, plan, timeline } = rollout.known;
  const { commands } = rollout;
  const label = rollout.label(stage);
  while (stage.comparison !== 'none') {
    commands.checkAborted();
    if (commands.takeAdvance()) return timeline.finished(`${label}: advanced by ${commands.entries.advancedBy}`);
    if (commands.paused) {
      await waitWhilePaused(rollout);
      continue;
    }
    timeline.doing(`${label}: watching. ${progress.lastLook ?? 'No look yet'}`);
    const before = Date.now();
    await condition(
      () => commands.wantsAttention || historyIsLong(),
      lookAfterSeconds(plan, progress.stepElapsedMs / 1000) * 1000,
      { summary: `${label}: next look of the judge` },
    );
    progress.stepElapsedMs += Date.now() - before;
    if (commands.wantsAttention) continue;
    if (historyIsLong()) await rollout.carryOver();
    if ((await moveOn(rollout, stage)) === 'next-step') return timeline.finished(`${label}: ${progress.lastLook}`);
    // Rollouts of 0.1.0 continued when Temporal said so, and did first what a person had just asked for; theirs replay
    // as they went.
    if (workflowInfo().continueAsNewSuggested && !commands.wantsAttention) await rollout.carryOver();
  }
}

/** After the last stage. */
export async function complete(rollout: RolloutRun): Promise<RolloutResult> {
  const { plan } = rollout.known;
  await probeChallenger(rollout);
  // Rollouts of 0.1.0 completed over a pause that came with the last look or later; theirs replay as they went.
  if (rollout.commands.paused && patched('pause-before-completion')) await heedPeople(rollout);
  if (plan.lateLabels) await askLateLabels(rollout);
  return rollout.end(
    'completed',
    plan.champion === null ? 'first version of the environment' : `replaces version ${plan.champion}`,
  );
}

/** Lets the judge look, and does what follows. @throws GoBack where it says so. */
async function moveOn(rollout: RolloutRun, stage: PlannedStage): Promise<RolloutMove> {
  const { progress } = rollout.known;
  const { commands } = rollout;
  const seen = await look(rollout);
  const move = moveAfterLook(stage.onInconclusive, stage, { ...seen, elapsedSeconds: progress.stepElapsedMs / 1000 });
  // The judge moves it on, not who resumed it before.
  if (move === 'next-step') commands.takeMovedBy();
  // Who asked to advance while the judge looked has got it: this stage is left once. Rollouts of 0.1.0 left the next
  // one too; theirs replay as they went.
  if (move === 'next-step' && commands.advancing && patched('advance-leaves-one-stage')) commands.takeAdvance();
  const undecided = stage.decides === 'better' && seen.verdict !== 'fail' ? 'no winner: ' : '';
  if (move === 'roll-back')
    throw new GoBack('rolled-back', `${undecided}${progress.lastLook ?? 'the judge says fail'}`);
  if (move === 'pause') commands.pauseBecause(`the judge is undecided, a person must decide: ${progress.lastLook}`);
  return move;
}

async function look(rollout: RolloutRun) {
  const { progress, model, environment } = rollout.known;
  progress.look += 1;
  const { verdict, summary, exhausted } = await lookActivities().lookAtRollout({
    rolloutId: rollout.rolloutId,
    environment,
    model,
    look: progress.look,
    stage: progress.step,
    epoch: progress.epoch ?? 0,
    elapsedSeconds: progress.stepElapsedMs / 1000,
  });
  progress.lastLook = summary;
  return { verdict, exhausted };
}

/** Until somebody resumes, advances or aborts. */
async function waitWhilePaused(rollout: RolloutRun): Promise<void> {
  const { commands } = rollout;
  const goesOn = () => !commands.paused || commands.aborted || commands.advancing;
  const why = commands.entries.pausedBecause;
  await rollout.enter('paused', why);
  rollout.known.timeline.doing(`paused: ${why}. Signal resume, advance or abort`);
  await condition(() => goesOn() || historyIsLong());
  if (!goesOn()) await rollout.carryOver();
  await rollout.enter('running', null);
}

/** A challenger that refuses what its own contract admits is not fit to serve. */
async function probeChallenger(rollout: RolloutRun): Promise<void> {
  const { model, challenger, environment } = rollout.known;
  const { refused } = await rollout.untilAborted(() =>
    rollout.waits.probe({ environment, model, version: challenger }),
  );
  if (refused !== undefined) throw new GoBack('rolled-back', `version ${challenger} refused its probe: ${refused}`);
}

/**
 * Leaves a review behind that waits for labels; one that still waits for an earlier rollout of this version goes on
 * instead.
 */
async function askLateLabels(rollout: RolloutRun): Promise<void> {
  const { model, challenger, environment } = rollout.known;
  const start = startChild(reviewRollout, {
    workflowId: workflowIds.review(environment, model, challenger),
    args: [{ rolloutId: rollout.rolloutId }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `late labels on ${model}@${challenger} in ${environment}`,
  });
  await start.catch((error: unknown) => {
    if (!isAlreadyStarted(error)) throw error;
  });
}
