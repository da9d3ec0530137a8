import { WorkflowNotFoundError } from '@temporalio/client';
import { newerCandidate, olderWaiting } from '../../db/promotion/newer-candidates.js';
import { promotionById } from '../../db/promotion/promotion-queries.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * A newer candidate for a place ends the promotions of older ones that still wait for people, unless its policy keeps
 * them.
 */
export function createSupersedingActivities({ db, temporal }: Pick<ActivityDependencies, 'db' | 'temporal'>) {
  return {
    /**
     * Tells older promotions to look whether they are superseded. Each looks for itself: told twice, or by somebody
     * else, it comes to the same end.
     */
    async supersedeOlder({ promotionId }: { promotionId: string }): Promise<{ versions: number[] }> {
      const promotion = await promotionById(db, promotionId);
      if (promotion.evidence?.policy.olderWaiting === 'keep') return { versions: [] };
      const older = await olderWaiting(db, promotion);
      for (const { workflowId, id } of older) {
        // A chain that has ended is not there any more, and has nothing to be told.
        await temporal.workflow
          .getHandle(workflowId, undefined, { firstExecutionRunId: id })
          .signal('giveWay')
          .catch((error: unknown) => {
            if (!(error instanceof WorkflowNotFoundError)) throw error;
          });
      }
      return { versions: older.map(({ version }) => version) };
    },

    /** The version that takes this one's place among those who wait; null while there is none. */
    async supersededBy({ promotionId }: { promotionId: string }): Promise<{ version: number | null }> {
      const newer = await newerCandidate(db, await promotionById(db, promotionId));
      return { version: newer?.version ?? null };
    },
  };
}

export type SupersedingActivities = ReturnType<typeof createSupersedingActivities>;
