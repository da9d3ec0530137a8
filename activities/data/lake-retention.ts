import { withLakePlace, removableUncounted, type UncountedRow } from '../../db/data/lake-manifests.js';
import { forgetLakeObject } from '../../db/data/partition-queries.js';
import { recordRetentionRun } from '../../db/retention-runs.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import type { Database } from '../../db/connect.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import type { RetentionPass } from '../serving/retention.js';

/**
 * How long an object that no longer counts is kept for whoever may still read it without being a run: a comparison with
 * a champion, or a person.
 */
const keptMs = 24 * 3_600_000;
const batch = 500;

/** Removes from the lake what no manifest names any more, and uploads that died. */
export function createLakeRetentionActivities({ db, store }: Pick<ActivityDependencies, 'db' | 'store'>) {
  return {
    /** One bounded batch, the oldest first. */
    removeSupersededFiles: (asked: { keptMs?: number } = {}): Promise<RetentionPass> =>
      withHeartbeat(async (signal, report) => {
        const before = new Date(Date.now() - (asked.keptMs ?? keptMs));
        const rows = await removableUncounted(db, { before, limit: batch });
        let count = 0;
        for (const row of rows) {
          signal.throwIfAborted();
          report(row.key);
          count += await removeObject(db, store, row);
        }
        const removed: Record<string, number> = count > 0 ? { 'lake files': count } : {};
        await recordRetentionRun(db, 'lake-files', removed);
        return { removed, more: rows.length === batch };
      }),
  };
}

/** Under the lock of its place, so that no put relies on the object meanwhile; one that was put again since stays. */
async function removeObject(
  db: Database,
  store: Pick<ObjectStore, 'list' | 'delete'>,
  { key, model, prefix, since }: UncountedRow,
): Promise<number> {
  return withLakePlace(db, { model, prefix }, async ({ recorded, now, forget }) => {
    const row = recorded.uncounted.find((one) => one.key === key);
    if (row?.since.getTime() !== since.getTime()) return 0;
    const named = now?.files?.some((file) => file.key === key) ?? false;
    const object = (await store.list(key)).find((one) => one.key === key);
    const isThis =
      object !== undefined && (row.etag === null || (row.etag === object.etag && row.modifiedAt === object.modifiedAt));
    const removes = isThis && !named;
    if (removes) await store.delete(key);
    if (removes) await forgetLakeObject(db, key);
    await forget([key]);
    return removes ? 1 : 0;
  });
}

export type LakeRetentionActivities = ReturnType<typeof createLakeRetentionActivities>;
