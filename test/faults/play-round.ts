import { promotionResult, startPromotion } from '../../client/promotion.js';
import { workflowIds } from '../../domain/ids.js';
import type { PromotionResult } from '../../workflows/promotion/promote-model.js';
import { approveWith } from './approve-promotion.js';
import { drillEnvironment as environment, drillModel as model } from './drill-model.js';
import type { DrillStack } from './drill-stack.js';
import type { ToldApproval } from './facts.js';
import type { Fault } from './fault-plan.js';
import { stagesBefore, stoppingFault, type Round } from './fault-rounds.js';
import { firstHold, strikeFault, untilHeld } from './strike-fault.js';
import {
  abortRollout,
  championServes,
  retried,
  rollBack,
  untilEnded,
  versionInForce,
  type Rollback,
} from './stop-rollout.js';

export interface RoundWatcher {
  told: ToldApproval[];
  /** After each fault, when all is up again. */
  afterFault(fault: Fault): Promise<void>;
}

const approvers = ['ann@local', 'bob@local'] as const;

/**
 * Promotes a version, breaking what the round says where it says so, and has a person stop it or take it back where a
 * fault waits for that.
 */
export async function playRound(
  drill: DrillStack,
  { strategy, faults }: Round,
  version: number,
  watcher: RoundWatcher,
): Promise<PromotionResult> {
  const { temporal, api } = drill.all;
  const promotionWorkflow = workflowIds.promote(model, version, environment);
  const champion = await versionInForce(drill);
  const stopping = stoppingFault({ faults });
  const stop = stopping?.stop ?? null;
  // All stand before anything moves: while one fault is looked at, the rollout goes on to the next.
  const stopsAt =
    stop &&
    drill.holds.place(
      stop.during === 'look'
        ? { activity: 'lookAtRollout', moment: 'before', input: `"stage":${stop.stage},` }
        : { activity: 'writeRoute', moment: 'after', input: `/step-${stop.stage}"` },
    );
  const placed = new Map(faults.map((fault) => [fault, drill.holds.place(firstHold(fault, approvers[1]))]));
  const asked = { model, version, environment, requestedBy: 'rita@local' } as const;
  const { runId } = await retried('the promotion starts', () => startPromotion(temporal, asked));
  const result = untilEnded(drill, promotionWorkflow, runId).then(() =>
    retried('the result is read', () => promotionResult(temporal, promotionWorkflow, runId)),
  );
  result.catch(() => undefined); // Read below.
  let hasEnded = false;
  void result.finally(() => (hasEnded = true)).catch(() => undefined);
  const isOver = () => hasEnded;

  /**
   * Breaks something at one step. What a rollout that has ended otherwise meanwhile never comes to is left unstruck,
   * which the drill complains about.
   */
  const breakAt = async (fault: Fault | undefined, never: () => boolean = isOver): Promise<void> => {
    const hold = fault && placed.get(fault);
    if (hold && (await strikeFault(drill, fault, hold, never))) await watcher.afterFault(fault);
  };
  const faultAt = (step: Fault['step']) => faults.find((fault) => fault.step === step);

  const approve = await approveWith(api, version, watcher.told);
  await approve(approvers[0]);
  await Promise.all([breakAt(faultAt('approval')), approve(approvers[1])]);
  for (let stage = 0; stage < stagesBefore(strategy, stop); stage += 1) await breakAt(faultAt(stage));

  let rollback: Rollback | undefined;
  if (stopping && stopsAt && (await untilHeld(stopsAt, isOver))) {
    const broken = breakAt(stopping);
    broken.catch(() => undefined); // Awaited below.
    if (stopping.step === 'rollback') rollback = await rollBack(drill, 'of a running rollout');
    else await abortRollout(drill);
    stopsAt.release();
    await broken;
  }
  const ended = await result;
  if (stopping?.step === 'rollback' && stop === null && ended.state === 'promoted') {
    rollback = await rollBack(drill, 'of a completed rollout');
    await breakAt(stopping, rollback.hasEnded);
  }
  await rollback?.isProven(champion);
  if (rollback || ended.state !== 'promoted') await championServes(drill, champion);
  drill.holds.releaseAll();
  return ended;
}
