import { and, count, desc, eq, isNotNull, sql } from 'drizzle-orm';
import type { ScheduledRun } from '../../domain/triggers/schedule-record.js';
import type { Database } from '../connect.js';
import { beganLate, scheduleOf } from '../schema/late-run.js';
import { runs } from '../schema/index.js';

export interface ScheduledRunRow extends ScheduledRun {
  workflowId: string;
  outcome: string | null;
}

interface ScheduleKey {
  model: string;
  schedule: string;
}

const columns = {
  runId: runs.id,
  workflowId: runs.workflowId,
  scheduledFor: sql<Date>`${runs.scheduledFor}`.mapWith(runs.scheduledFor),
  startedAt: runs.startedAt,
  finishedAt: runs.finishedAt,
  outcome: runs.outcome,
};

const began = ({ model, schedule }: ScheduleKey) =>
  and(eq(runs.model, model), isNotNull(runs.scheduledFor), sql`${scheduleOf(runs)} = ${schedule}`);

/** The runs that a schedule began, the newest firing first. */
export async function scheduledRuns(db: Database, key: ScheduleKey, limit: number): Promise<ScheduledRunRow[]> {
  return db.orm.select(columns).from(runs).where(began(key)).orderBy(desc(runs.scheduledFor)).limit(limit);
}

/** Late runs that are counted; whoever has more needs another schedule, not a larger number. */
const countedMax = 1_000;

/** How many of them began late, a thousand at most, and the latest of these; by an index of late ones alone. */
export async function lateRuns(
  db: Database,
  key: ScheduleKey,
): Promise<{ count: number; latest: ScheduledRunRow | undefined }> {
  const late = and(began(key), beganLate(runs));
  const some = db.orm.select({ id: runs.id }).from(runs).where(late).limit(countedMax).as('late');
  const [counted] = await db.orm.select({ count: count() }).from(some);
  const [latest] = await db.orm.select(columns).from(runs).where(late).orderBy(desc(runs.scheduledFor)).limit(1);
  return { count: counted?.count ?? 0, latest };
}
