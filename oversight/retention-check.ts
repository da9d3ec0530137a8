import type { Database } from '../db/connect.js';
import { retentionRunsOf } from '../db/retention-runs.js';
import { retentionJobs, type RetentionJob } from '../domain/serving/retention.js';
import { isoMinute } from './iso-minute.js';
import { ok, problem, type Check } from './check.js';

/**
 * A job that has not run for so long is one that does not get on: counts are rolled up every minute, the rest goes
 * every hour.
 */
const silentMs: Readonly<Record<RetentionJob, number>> = {
  'serving-windows': 15 * 60_000,
  'old-rows': 3 * 3_600_000,
  'old-logs': 3 * 3_600_000,
  'lake-files': 3 * 3_600_000,
};

/** When retention ran last, and what it removed. @param keptRunning whether Temporal keeps its workflow running */
export async function retentionCheck(db: Database, keptRunning: boolean): Promise<Check> {
  const name = 'retention';
  const remedy =
    'Check the workflow `retain` in the Temporal UI, and worker-control; starting the stack starts it again.';
  if (!keptRunning)
    return problem(name, 'not running: counts are not rolled up, and nothing expired is removed', remedy);
  const ran = await retentionRunsOf(db);
  const runs = retentionJobs.flatMap((job) => ran.filter((one) => one.job === job).map((one) => ({ ...one, job })));
  const late = runs.filter(({ job, ranAt }) => Date.now() - ranAt.getTime() > silentMs[job]);
  if (late.length > 0)
    return problem(name, late.map(({ job, ranAt }) => `${job} ran last at ${ranAt.toISOString()}`).join('; '), remedy);
  if (runs.length === 0) return ok(name, 'running; the first pass has not finished yet');
  const removed = runs.map(({ job, ranAt, removed: what, removedAt }) => {
    const counts = Object.entries(what).map(([kind, count]) => `${count} ${kind}`);
    const last =
      removedAt === null || counts.length === 0 ? 'nothing yet' : `${counts.join(', ')} at ${isoMinute(removedAt)}`;
    return `${job} at ${isoMinute(ranAt)} (${last})`;
  });
  const missing = retentionJobs.filter((job) => !runs.some((one) => one.job === job));
  const never = missing.length === 0 ? '' : `; not ended well yet: ${missing.join(', ')}`;
  return ok(name, `last runs: ${removed.join('; ')}${never}`);
}
