import { retentionRunsOf } from '../db/retention-runs.js';
import type { Database } from '../db/connect.js';
import { waitingCompactionDays } from '../db/serving/compaction-days.js';
import { ok, problem, type Check } from './check.js';
import { isoMinute } from './iso-minute.js';

const hourMs = 3_600_000;
/** A pass begins every hour; each day that it merges is written down as well. */
const silentMs = 3 * hourMs;
/** A day is merged in the pass that finds it; one that is found again and again does not get on. */
const overdueMs = 6 * hourMs;

/**
 * When compaction of logs ended well last, and what waits for it.
 * @param keptRunning whether Temporal keeps its workflow running
 */
export async function compactionCheck(db: Database, keptRunning: boolean, now = new Date()): Promise<Check> {
  const name = 'log compaction';
  const remedy =
    'The workflow `compactLogs` says in the Temporal UI what it left and why; look at worker-control too. A start of ' +
    'the stack starts it again.';
  if (!keptRunning) return problem(name, 'it does not run: logs stay in many small objects', remedy);
  const [runs, { count, longest }] = await Promise.all([retentionRunsOf(db), waitingCompactionDays(db)]);
  const last = runs.find(({ job }) => job === 'log-compaction');
  if (last === undefined) return ok(name, 'it runs, and has not looked through the logs yet');
  if (now.getTime() - last.ranAt.getTime() > silentMs)
    return problem(name, `it ended well last at ${isoMinute(last.ranAt)}`, remedy);
  const waiting =
    longest && `${count} day(s) wait, longest ${longest.log}, ${longest.day}, since ${isoMinute(longest.foundAt)}`;
  if (waiting && now.getTime() - longest.foundAt.getTime() > overdueMs) return problem(name, waiting, remedy);
  const merged = Object.entries(last.removed).map(([kind, number]) => `${number} ${kind}`);
  const lastMerged =
    last.removedAt === null ? 'nothing merged yet' : `${merged.join(', ')} merged at ${isoMinute(last.removedAt)}`;
  return ok(name, `ended well at ${isoMinute(last.ranAt)}; ${lastMerged}; ${waiting ?? 'no day waits'}`);
}
