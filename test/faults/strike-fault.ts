import { setTimeout as delay } from 'node:timers/promises';
import type { Hold } from '../../workers/activity-failpoints.js';
import { pollUntil } from '../support/poll-until.js';
import type { DrillStack } from './drill-stack.js';
import type { Fault } from './fault-plan.js';
import type { PlacedHold } from './holds.js';

/** A worker that died in the middle of a small activity is noticed after 30 s. */
const heldWithinMs = 150_000;

/**
 * Waits for the moment, kills or pauses what the fault names there, lets everything go on, and waits until it works
 * again. False when the moment never came.
 */
export async function strikeFault(
  drill: DrillStack,
  fault: Fault,
  hold: PlacedHold,
  isOver: () => boolean,
): Promise<boolean> {
  if (!(await untilHeld(hold, isOver))) return false;
  if (fault.moment !== 'before the acknowledgement' || fault.step === 'approval') return strike(drill, fault, hold);
  // One gateway stands still from before the route is written, so that what happens next happens before it could
  // acknowledge.
  const goOn = await drill.stop(drill.gateways[fault.gateway].name);
  try {
    const activity = typeof fault.step === 'number' ? 'waitForAcknowledgement' : 'waitUntilAcknowledged';
    const waiting = drill.holds.place({ activity, moment: 'before' });
    hold.release();
    return (await untilHeld(waiting, isOver)) && (await strike(drill, fault, waiting, goOn));
  } finally {
    goOn();
  }
}

/** Where the activity of a fault's step is held first. `second` is whose approval a fault of the approvals meets. */
export function firstHold({ step, moment, stop }: Fault, second: string): Hold {
  const where = moment === 'after the effect' ? 'after' : 'before';
  if (typeof step === 'number') return { activity: 'writeRoute', moment: where, input: `/step-${step}"` };
  // What is stopped on its way goes back by itself; what has completed is taken back by a route of the rollback's own.
  if (step !== 'approval')
    return { activity: 'writeRoute', moment: where, input: stop === null ? '/rollback"' : '/back"' };
  if (moment === 'before the acknowledgement') return { activity: 'verifyPromotion', moment: where };
  return { activity: 'ruleOnDecision', moment: where, input: second };
}

/** False when what it waits for can no longer come. */
export async function untilHeld(hold: PlacedHold, isOver: () => boolean): Promise<boolean> {
  const found = await pollUntil(
    'an activity is held',
    heldWithinMs,
    () => hold.held() ?? (isOver() ? 'over' : undefined),
  );
  if (found === 'over') hold.release();
  return found !== 'over';
}

/** The blow itself: whatever is held goes on at once, so that it meets what is broken. */
async function strike(drill: DrillStack, fault: Fault, hold: PlacedHold, goOn?: () => void): Promise<true> {
  const struck = componentsOf(drill, fault);
  if (fault.kind === 'pause') {
    const resumes = await Promise.all(struck.map((component) => drill.stop(component)));
    hold.release();
    await delay(fault.pausedMs);
    for (const resume of resumes) resume();
    return true;
  }
  const back = Promise.all(struck.map((component) => drill.kill(component)));
  hold.release();
  goOn?.();
  await back;
  return true;
}

/** The processes that a fault means, by their names in the stack. */
function componentsOf({ gateways }: DrillStack, { component, also, gateway }: Fault): string[] {
  const nameOf = (one: Exclude<Fault['also'], null> | 'gateway') => {
    if (one === 'worker') return 'worker-control';
    if (one === 'gateway') return gateways[gateway].name;
    if (one === 'other gateway') return gateways[gateway === 0 ? 1 : 0].name;
    return one;
  };
  return [component, also].flatMap((one) => (one === null ? [] : [nameOf(one)]));
}
