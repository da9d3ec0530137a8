import { parseCron, type CronFields } from '../../domain/triggers/cron.js';
import { longestGapMs, nextFiring } from '../../domain/triggers/cron-firings.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { ModelSchedule } from '../../domain/triggers/trigger-policy.js';

/**
 * The next firings of a cron expression read in a time zone, as ISO times in UTC: those of Temporal's server.
 * @throws PerdureError `definition/invalid` that names the schedule and shows a valid expression.
 */
export function nextFirings(schedule: ModelSchedule, from: Date, count: number): string[] {
  const fields = fieldsOf(schedule);
  const times: string[] = [];
  for (let after = from.getTime(); times.length < count;) {
    const next = nextFiring(fields, schedule.timeZone, after);
    if (next === undefined) break;
    times.push(new Date(next).toISOString());
    after = next;
  }
  if (times.length === 0) throw invalid(schedule, 'it never fires');
  return times;
}

/** The next firing after a time, for a schedule whose expression has been checked; undefined when there is none. */
export function firingAfter(schedule: ModelSchedule): (time: Date) => Date | undefined {
  const fields = fieldsOf(schedule);
  return (time) => {
    const next = nextFiring(fields, schedule.timeZone, time.getTime());
    return next === undefined ? undefined : new Date(next);
  };
}

/**
 * How far back a missed firing is still run: the longest gap between two firings, so that after any outage the latest
 * missed one runs. Overlapping ones are skipped, so that several missed firings start one run.
 */
export function catchUpWindowMs(schedule: ModelSchedule, from: Date): number {
  return Math.max(60_000, longestGapMs(fieldsOf(schedule), schedule.timeZone, from.getTime()));
}

function fieldsOf(schedule: ModelSchedule): CronFields {
  try {
    return parseCron(schedule.cron);
  } catch (error) {
    throw invalid(schedule, messageOf(error));
  }
}

const invalid = ({ name, cron }: ModelSchedule, why: string) =>
  new PerdureError(
    'definition/invalid',
    `triggers.schedules ${name}: the cron expression ${JSON.stringify(cron)} is not valid: ${why}. A valid ` +
      'one: "0 6 2 * *" (the second of each month at 6:00).',
    {
      schedule: name,
    },
  );
