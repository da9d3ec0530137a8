import { sql, type SQL } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { lateAfterSeconds } from '../../domain/triggers/schedule-record.js';

/** What tells runs that began late; part of an index, so that it must say the same wherever it is asked. */
export const beganLate = ({ startedAt, scheduledFor }: { startedAt: AnyPgColumn; scheduledFor: AnyPgColumn }): SQL =>
  sql`${startedAt} - ${scheduledFor} > ${sql.raw(`interval '${lateAfterSeconds} seconds'`)}`;

/** The schedule that began a run; null for others. In an index, too. */
export const scheduleOf = ({ cause }: { cause: AnyPgColumn }): SQL =>
  sql`(case ${cause} ->> 'kind' when 'schedule' then ${cause} ->> 'id' end)`;
