import type { LakeRetentionActivities } from '../../../activities/data/lake-retention.js';
import type { CompactionActivities } from '../../../activities/serving/compaction.js';
import type { RetentionActivities, RetentionPass } from '../../../activities/serving/retention.js';
import type { WorldFacts } from './world-facts.js';

/** Counts that are rolled up, what is removed once it is old, and days that are compacted. */
export function fakeRetention(world: WorldFacts): RetentionActivities & LakeRetentionActivities & CompactionActivities {
  const remove = async (): Promise<RetentionPass> => {
    world.removed += 1;
    const removal = world.removals.shift() ?? { removed: {}, more: false };
    if (removal instanceof Error) throw removal;
    return removal;
  };
  return {
    rollUpServingWindows: async () => ({ removed: { windows: (world.rollUps += 1) }, more: false }),
    removeOldRows: remove,
    removeOldLogs: remove,
    removeSupersededFiles: remove,
    findDaysToCompact: async () => ({ days: world.daysToCompact.shift() ?? [], more: false }),
    compactDay: async (day) => {
      world.compacted.push(day);
      return { merged: 9, parts: 1, rows: 900, removed: 0, more: false };
    },
  };
}
