import type { ScheduleView } from '../../client/http/schedules.js';
import { firingAfter } from '../../client/triggers/schedule-plan.js';
import type { ScheduleState } from '../../client/triggers/schedule-state.js';
import type { Database } from '../../db/connect.js';
import { lateRuns, scheduledRuns, type ScheduledRunRow } from '../../db/training/scheduled-runs.js';
import { scheduleIds } from '../../domain/ids.js';
import { lateAfterSeconds, latestOverlap } from '../../domain/triggers/schedule-record.js';
import type { ModelSchedule } from '../../domain/triggers/trigger-policy.js';

/** Runs of a schedule that are looked through for the latest overlap. */
const looksBackRuns = 100;

/** A schedule of a model: what comes next, how its last firing went, and what did not go as it should. */
export async function scheduleView(
  db: Database,
  model: string,
  schedule: ModelSchedule,
  state: ScheduleState | undefined,
): Promise<ScheduleView> {
  const key = { model, schedule: schedule.name };
  const [recent, late] = await Promise.all([scheduledRuns(db, key, looksBackRuns), lateRuns(db, key)]);
  const overlap = latestOverlap(recent, firingAfter(schedule), new Date());
  const { fired, overlapped, missed } = state ?? { fired: 0, overlapped: 0, missed: 0 };
  return {
    id: scheduleIds.of(model, schedule.name),
    model,
    name: schedule.name,
    cron: schedule.cron,
    timeZone: schedule.timeZone,
    state: state === undefined ? 'absent' : state.paused ? 'paused' : 'active',
    countedSince: state?.createdAt.toISOString() ?? null,
    nextFirings: state?.nextFirings.map((time) => time.toISOString()) ?? [],
    last: lastFiring(recent[0], state?.last),
    fired,
    overlapped: {
      count: overlapped,
      reason:
        overlapped === 0
          ? null
          : overlap === undefined
            ? 'the run of an earlier firing was still running'
            : `run ${overlap.runId} was still running; latest at ${overlap.scheduledFor.toISOString()}`,
    },
    missed: {
      count: missed,
      reason: missed === 0 ? null : 'Temporal was down when they were due, and a later one was due when it came back',
    },
    late: { count: late.count, reason: late.latest ? lateText(late.latest) : null },
  };
}

/** The run's row says more; Temporal knows a firing whose run no worker has begun yet. */
function lastFiring(run: ScheduledRunRow | undefined, action: ScheduleState['last']): ScheduleView['last'] {
  // Temporal tells a run the time of its firing in whole seconds.
  const isNewest =
    action === undefined || Math.floor(action.scheduledFor.getTime() / 1000) * 1000 <= Number(run?.scheduledFor);
  if (run && isNewest) {
    const { runId, workflowId, outcome } = run;
    return { ...times(run), workflowId, runId, outcome };
  }
  return action ? { ...times(action), workflowId: action.workflowId, runId: null, outcome: null } : null;
}

const times = ({ scheduledFor, startedAt }: { scheduledFor: Date; startedAt: Date }) => ({
  scheduledFor: scheduledFor.toISOString(),
  startedAt: startedAt.toISOString(),
  lateSeconds: Math.max(0, (startedAt.getTime() - scheduledFor.getTime()) / 1000),
});

const lateText = ({ runId, scheduledFor, startedAt }: ScheduledRunRow): string => {
  const seconds = Math.round((startedAt.getTime() - scheduledFor.getTime()) / 1000);
  return (
    `Temporal or every worker was down for more than ${lateAfterSeconds} s; latest at ${scheduledFor.toISOString()}, ` +
    `started ${seconds} s late by run ${runId}`
  );
};
