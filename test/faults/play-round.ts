import { setTimeout as delay } from 'node:timers/promises';
import { promotionResult, startPromotion } from '../../client/promotion.js';
import { startRollback, steerRollout } from '../../client/rollout.js';
import { workflowIds } from '../../domain/ids.js';
import type { PromotionResult } from '../../workflows/promote-model.js';
import type { Hold } from '../../workers/held-activities.js';
import { pollUntil } from '../integration/infra/poll-until.js';
import type { DrillStack } from './drill-stack.js';
import { drillModel } from './drill-model.js';
import type { ToldApproval } from './facts.js';
import { stageCounts, type Fault, type Round, type Strategy } from './fault-plan.js';
import type { PlacedHold } from './holds.js';

export interface RoundWatcher {
  told: ToldApproval[];
  /** After each fault, when all is up again. */
  afterFault(fault: Fault): Promise<void>;
}

const environment = 'production';
const model = drillModel;
/** A worker that died in the middle of a small activity is noticed after 30 s. */
const heldWithinMs = 150_000;
const approvers = ['ann@local', 'bob@local'] as const;

/** The stage in whose watch a rollout is told to go back; undefined where nothing is watched: then a rollback follows the rollout. */
const abortedIn: Record<Strategy, number | undefined> = { canary: 1, 'blue-green': 1, shadow: 0, ab: undefined, direct: undefined };

/** Promotes a version, breaking what the round says where it says so, and sends it back at the end where a fault waits there. */
export async function playRound(
  drill: DrillStack,
  { strategy, faults }: Round,
  version: number,
  watcher: RoundWatcher,
): Promise<PromotionResult> {
  const { temporal, api } = drill.all;
  const promotionWorkflow = workflowIds.promote(model, version, environment);
  const faultAt = (step: Fault['step']) => faults.find((fault) => fault.step === step);
  const back = faultAt('back');
  const asked = { model, version, environment, requestedBy: 'rita@local' } as const;
  const last = back ? (abortedIn[strategy] ?? stageCounts[strategy] - 1) : stageCounts[strategy] - 1;
  // All stand before anything moves: while one fault is looked at, the rollout goes on to the next.
  const watch =
    back && abortedIn[strategy] !== undefined
      ? drill.holds.place({ activity: 'lookAtRollout', moment: 'before', input: `"stage":${last}` })
      : undefined;
  const placed = new Map(
    faults
      .filter(({ step }) => typeof step !== 'number' || step <= last)
      .map((fault) => [fault, drill.holds.place(firstHold(fault, watch ? '/back"' : '/rollback"'))]),
  );
  const { runId } = await retried('the promotion starts', () => startPromotion(temporal, asked));
  const result = pollUntil('the promotion ends', 500_000, async () => {
    const { status } = await temporal.client.workflow.getHandle(promotionWorkflow, runId).describe();
    return status.name === 'RUNNING' ? undefined : promotionResult(temporal, promotionWorkflow, runId);
  });
  result.catch(() => undefined); // Read below.
  let isOver = false;
  void result.finally(() => (isOver = true)).catch(() => undefined);

  /** Breaks something at one step. A rollout that has ended otherwise meanwhile, or that goes back, never comes there. */
  const breakAt = async (fault: Fault): Promise<void> => {
    const hold = placed.get(fault);
    if (hold && (await inject(drill, fault, hold, () => isOver && (fault.step !== 'back' || watch !== undefined))))
      await watcher.afterFault(fault);
  };

  const shown = await pollUntil('the promotion waits for approval', 120_000, async () => {
    const [found] = await api.promotions({ model, version, open: true });
    return found?.state === 'waiting-for-approval' && found.evidenceSha256 !== null
      ? { ...found, evidenceSha256: found.evidenceSha256 }
      : undefined;
  });
  const approve = async (actor: string) => {
    await pollUntil(`${actor} approves`, 180_000, async () => {
      const { id, evidenceSha256 } = shown;
      const { counted } = await api.decidePromotion(id, { decision: 'approve', actor, comment: 'drill', evidenceSha256 });
      if (counted) watcher.told.push({ promotionId: id, actor });
      // An answer that was lost leaves a decision that counts: asking again says so.
      const { decisions } = await api.promotion(id);
      return decisions.some((one) => one.actor === actor && one.counted) || undefined;
    }).catch(async (error: unknown) => {
      const { decisions } = await api.promotion(shown.id);
      if (!decisions.some((one) => one.actor === actor && one.counted)) throw error;
    });
  };
  await approve(approvers[0]);
  const approval = faultAt('approval');
  await Promise.all([approval ? breakAt(approval) : undefined, approve(approvers[1])]);

  for (let stage = 0; stage <= last; stage += 1) {
    const fault = faultAt(stage);
    if (fault) await breakAt(fault);
  }
  if (back && watch && (await untilHeld(watch, () => isOver))) {
    const fault = breakAt(back);
    await retried('the rollout is told to go back', () =>
      steerRollout(temporal, environment, model, 'abort', { actor: 'ann@local', reason: 'drill' }),
    ).catch((error: unknown) => {
      if (!isOver) throw error;
    });
    watch.release();
    await fault;
  }
  const ended = await result;
  if (back && !watch && ended.state === 'promoted') {
    const request = { environment, model, actor: 'ann@local', reason: 'drill' } as const;
    const { workflowId, runId: rollback } = await retried('the rollback starts', () => startRollback(temporal, request));
    await breakAt(back);
    await pollUntil('the rollback ends', 300_000, async () => {
      const { status } = await temporal.client.workflow.getHandle(workflowId, rollback).describe();
      if (status.name !== 'RUNNING' && status.name !== 'COMPLETED') throw new Error(`the rollback ended ${status.name}`);
      return status.name === 'COMPLETED' || undefined;
    });
  }
  drill.holds.releaseAll();
  return ended;
}

/** Waits for the moment, kills or pauses the component there, lets everything go on, and waits until it works again. False when the moment never came. */
async function inject(drill: DrillStack, fault: Fault, hold: PlacedHold, isOver: () => boolean): Promise<boolean> {
  const slow = drill.gateways[fault.gateway].name;
  const component = fault.component === 'gateway' ? slow : fault.component === 'worker' ? 'worker-control' : fault.component;
  if (!(await untilHeld(hold, isOver))) return false;
  if (fault.moment !== 'before the acknowledgement' || fault.step === 'approval') return strike(drill, fault, component, hold);
  // One gateway stands still from before the route is written, so that what happens next happens before it could acknowledge.
  const goOn = await drill.stop(slow);
  try {
    const activity = fault.step === 'back' ? 'waitUntilAcknowledged' : 'waitForAcknowledgement';
    const waiting = drill.holds.place({ activity, moment: 'before' });
    hold.release();
    return (await untilHeld(waiting, isOver)) && (await strike(drill, fault, component, waiting, goOn));
  } finally {
    goOn();
  }
}

/** Where the activity of a step is held first. `back` is the end of the key under which the way back is written. */
function firstHold({ step, moment }: Fault, back: string): Hold {
  const where = moment === 'after the effect' ? 'after' : 'before';
  if (step !== 'approval') return { activity: 'writeRoute', moment: where, input: step === 'back' ? back : `/step-${step}"` };
  if (moment === 'before the acknowledgement') return { activity: 'verifyPromotion', moment: where };
  return { activity: 'ruleOnDecision', moment: where, input: approvers[1] };
}

/** The blow itself: whatever is held goes on at once, so that it meets what is broken. */
async function strike(drill: DrillStack, { kind, pausedMs }: Fault, component: string, hold: PlacedHold, goOn?: () => void): Promise<true> {
  if (kind === 'pause') {
    const resume = await drill.stop(component);
    hold.release();
    await delay(pausedMs);
    resume();
    return true;
  }
  const back = drill.kill(component);
  hold.release();
  goOn?.();
  await back;
  return true;
}

/** False when what it waits for can no longer come. */
async function untilHeld(hold: PlacedHold, isOver: () => boolean): Promise<boolean> {
  const found = await pollUntil('an activity is held', heldWithinMs, () => hold.held() ?? (isOver() ? 'over' : undefined));
  if (found === 'over') hold.release();
  return found !== 'over';
}

/** Tries again while a server is away. */
const retried = <T>(label: string, work: () => Promise<T>): Promise<T> => pollUntil(label, 60_000, async () => work());
