import { ScheduleNotFoundError } from '@temporalio/client';
import { scheduleIds } from '../../domain/ids.js';
import type { TemporalHandle } from '../connect.js';

/** What Temporal knows of a Schedule. Its counts begin with the Schedule, and go on when it is changed. */
export interface ScheduleState {
  createdAt: Date;
  paused: boolean;
  nextFirings: Date[];
  /** Runs that it began. */
  fired: number;
  /** Firings that began nothing: the run of an earlier one was still going. */
  overlapped: number;
  /** Firings that were due while Temporal was away, and too long ago to catch up with when it came back. */
  missed: number;
  /** The newest firing that began a run, where it is among the last ten. */
  last: { scheduledFor: Date; startedAt: Date; workflowId: string } | undefined;
}

/** Undefined when Temporal has no such Schedule. */
export async function scheduleState(
  { client }: TemporalHandle,
  { model, schedule }: { model: string; schedule: string },
): Promise<ScheduleState | undefined> {
  try {
    const { state, info } = await client.schedule.getHandle(scheduleIds.of(model, schedule)).describe();
    const last = info.recentActions.at(-1);
    return {
      createdAt: info.createdAt,
      paused: state.paused,
      nextFirings: state.paused ? [] : info.nextActionTimes,
      fired: info.numActionsTaken,
      overlapped: info.numActionsSkippedOverlap,
      missed: info.numActionsMissedCatchupWindow,
      last: last && {
        scheduledFor: last.scheduledAt,
        startedAt: last.takenAt,
        workflowId: last.action.workflow.workflowId,
      },
    };
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
