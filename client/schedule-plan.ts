import { CronExpressionParser } from 'cron-parser';
import { PerdureError } from '../domain/errors.js';
import type { ModelSchedule } from '../domain/trigger-policy.js';

const dayMs = 86_400_000;

/**
 * The next firings of a cron expression read in a time zone, as ISO times in UTC.
 * @throws PerdureError `definition/invalid` that names the schedule and shows a valid expression.
 */
export function nextFirings({ name, cron, timeZone }: ModelSchedule, from: Date, count: number): string[] {
  if (cron.trim().split(/\s+/).length !== 5)
    throw invalid(name, cron, 'it needs five fields: minute, hour, day of month, month, day of week');
  try {
    const expression = CronExpressionParser.parse(cron, { tz: timeZone, currentDate: from });
    return expression.take(count).map((date) => date.toDate().toISOString());
  } catch (error) {
    throw invalid(name, cron, error instanceof Error ? error.message : String(error));
  }
}

/**
 * How far back a missed firing is still run: the longest gap between two firings, so that after any outage the latest missed one runs.
 * Overlapping ones are skipped, so that several missed firings start one run.
 */
export function catchUpWindowMs(schedule: ModelSchedule, from: Date): number {
  const times = nextFirings(schedule, from, 60).map((time) => Date.parse(time));
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time));
  return Math.max(60_000, Math.min(Math.max(...gaps), 366 * dayMs));
}

const invalid = (name: string, cron: string, why: string) =>
  new PerdureError(
    'definition/invalid',
    `triggers.schedules ${name}: the cron expression ${JSON.stringify(cron)} is not valid: ${why}. A valid one: "0 6 2 * *" (the second of each month at 6:00).`,
    {
      schedule: name,
    },
  );
