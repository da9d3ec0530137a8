import { CancellationScope, ParentClosePolicy, patched, sleep, startChild } from '@temporalio/workflow';
import { workflowIds } from '../../domain/ids.js';
import type { Environment } from '../../domain/names.js';
import { quickActivities, lockWaits } from '../activity-profiles.js';
import { failureCode, failureText } from '../failure-text.js';
import { historyIsLong, settledBefore } from '../long-history.js';
import { rolloutModel } from '../rollout/rollout-model.js';
import type { RolloutResult } from '../rollout/rollout-progress.js';
import { isAlreadyStarted } from '../already-started.js';

interface RolloutToStart {
  model: string;
  version: number;
  environment: Environment;
  promotionId: string;
  alsoShadow?: number[];
}

/** What the promotion does meanwhile. */
interface Meanwhile {
  onQueued: () => void;
  onBegun: (rolloutId: string) => void;
  cancelled: () => boolean;
  /** Continues the promotion as new; the rollout goes on. */
  carryOver: () => Promise<never>;
}

/**
 * The rollout that carries a promotion out. It outlives the run of the promotion that began it: a promotion that people
 * talk to for long continues as new meanwhile, and asks how the rollout ended.
 */
export class PromotionRollout {
  private readonly scope = new CancellationScope();
  private starting = false;
  /** Rollouts that promotions of 0.1.0 began end with the run that began them; theirs replay as they went. */
  private readonly outlives = patched('rollout-outlives-run');

  constructor(
    private readonly args: RolloutToStart,
    private readonly meanwhile: Meanwhile,
  ) {}

  cancel(): void {
    this.scope.cancel();
  }

  /**
   * Begins it as soon as no other rollout of the model runs, and waits for its end. If the champion changed meanwhile
   * nothing is moved, and the evidence is stale.
   */
  run(): Promise<RolloutResult | { stale: string }> {
    return unlessStale(async () => {
      const ended = this.scope.run(async () => (await this.start()).result());
      const stop = () => this.outlives && !this.starting && !this.meanwhile.cancelled() && historyIsLong();
      if (!(await settledBefore(ended, stop))) await this.meanwhile.carryOver();
      return ended;
    });
  }

  /** Waits for the end of one that an earlier run of the promotion began. */
  resume(rolloutId: string): Promise<RolloutResult | { stale: string }> {
    const { model, environment } = this.args;
    const { cancelled, carryOver } = this.meanwhile;
    return unlessStale(async () => {
      const ended = lockWaits().awaitRolloutEnd({ model, environment, rolloutId });
      let told = false;
      while (!(await settledBefore(ended, () => historyIsLong() || (cancelled() && !told)))) {
        if (!cancelled() || told) await carryOver();
        await quickActivities().cancelRollout({ model, environment, rolloutId });
        told = true;
      }
      return ended;
    });
  }

  private async start() {
    const { model, version, environment } = this.args;
    for (;;) {
      try {
        this.starting = true;
        const child = await startChild(rolloutModel, {
          workflowId: workflowIds.rollout(environment, model),
          args: [this.args],
          parentClosePolicy: this.outlives ? ParentClosePolicy.ABANDON : ParentClosePolicy.REQUEST_CANCEL,
          staticSummary: `${model}@${version} in ${environment}`,
        });
        this.meanwhile.onBegun(child.firstExecutionRunId);
        return child;
      } catch (error) {
        if (!isAlreadyStarted(error)) throw error;
      } finally {
        this.starting = false;
      }
      this.meanwhile.onQueued();
      if (this.outlives) await lockWaits().awaitRolloutTurn({ model, environment });
      else await sleep('5s', { summary: 'another rollout of the model is ahead' });
    }
  }
}

async function unlessStale<T>(work: () => Promise<T>): Promise<T | { stale: string }> {
  try {
    return await work();
  } catch (error) {
    if (failureCode(error) === 'promotion/stale') return { stale: failureText(error) };
    throw error;
  }
}
