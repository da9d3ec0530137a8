import { workflowLife } from '../client/workflow-life.js';
import { leaseNames } from '../domain/ids.js';
import { holderText, parseHolder, type LeaseGrant, type LeaseHolder } from '../domain/lease-holder.js';
import type { Environment } from '../domain/names.js';
import { acquireLease, releaseLease, takeOverLease } from '../db/lease-queries.js';
import { admitRun } from '../db/training/admission.js';
import type { ActivityDependencies } from './dependencies.js';
import { waitBehind, waitedMs } from './wait-by-retry.js';

/** A run whose turn has come is to find out soon: until then the model's slot stands empty. */
const seenWithinMs = 10_000;

/** Leases: what may run once at a time. Keyed by holder, so that a repeated activity finds its own grant. */
export function createLeaseActivities({
  db,
  temporal,
  config,
}: Pick<ActivityDependencies, 'db' | 'temporal' | 'config'>) {
  return {
    /**
     * One of the slots of a model, for the run whose turn has come; see `domain/training/admission.ts`.
     * @throws PerdureError `lease/held`, retryable: asking again is how a workflow waits.
     */
    async takeTrainingLease({ model, holder }: { model: string; holder: LeaseHolder }): Promise<LeaseGrant> {
      for (;;) {
        const asked = await admitRun(db, { model, holder, perModelMax: config.training.perModelMax });
        if ('grant' in asked) return asked.grant;
        const ended = await firstEnded(asked.held);
        const first = asked.for ?? (asked.held[0] ? parseHolder(asked.held[0].holder).workflowId : 'another run');
        if (!ended) throw waitBehind(first, { lease: leaseNames.training(model), atMostMs: seenWithinMs });
        await releaseLease(db, ended);
      }
    },

    /**
     * With `takeOverAfterSeconds` it is taken from a holder that has not given way for so long: what that one still
     * writes is refused.
     * @throws PerdureError `lease/held`, retryable.
     */
    takeRolloutLease: ({
      environment,
      model,
      holder,
      takeOverAfterSeconds = Infinity,
    }: {
      environment: Environment;
      model: string;
      holder: LeaseHolder;
      takeOverAfterSeconds?: number;
    }) => take(leaseNames.rollout(environment, model), holder, takeOverAfterSeconds * 1000),

    async releaseLease(grant: LeaseGrant): Promise<void> {
      await releaseLease(db, grant);
    },
  };

  async function firstEnded(held: readonly LeaseGrant[]): Promise<LeaseGrant | undefined> {
    for (const one of held) if (!(await isRunning(parseHolder(one.holder)))) return one;
    return undefined;
  }

  async function take(name: string, holder: LeaseHolder, takeOverAfterMs = Infinity): Promise<LeaseGrant> {
    const text = holderText(holder);
    for (;;) {
      const taken = await acquireLease(db, name, text);
      if ('grant' in taken) return taken.grant;
      const overtakesInMs = takeOverAfterMs - Math.min(taken.heldForMs, waitedMs());
      if (overtakesInMs > 0 && (await isRunning(parseHolder(taken.heldBy)))) {
        throw waitBehind(parseHolder(taken.heldBy).workflowId, { lease: name, atMostMs: overtakesInMs });
      }
      await takeOverLease(db, name, taken, text);
    }
  }

  /**
   * A lease outlives the workers of its holder but not its workflow: one that ended without giving it back loses it.
   */
  async function isRunning(holder: LeaseHolder): Promise<boolean> {
    return (await workflowLife(temporal, holder)).runs;
  }
}

export type LeaseActivities = ReturnType<typeof createLeaseActivities>;
