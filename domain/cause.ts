import { z } from 'zod';
import { actorSchema } from './names.js';
import { plainTextSchema } from './text/plain-text.js';

/** Why a run exists. */
export const causeSchema = z.strictObject({
  kind: z.enum(['schedule', 'data', 'drift', 'performance', 'code', 'message', 'person', 'backfill']),
  /** Names the event: a partition, a schedule, a commit, a ticket. */
  id: plainTextSchema.min(1).max(200).optional(),
  /** Who asked. `system:KIND` where nobody did. */
  actor: actorSchema.optional(),
});
export type Cause = z.infer<typeof causeSchema>;

/** The requester of what follows from a cause. */
export function actorOf(cause: Cause): string {
  return cause.actor ?? (cause.kind === 'person' ? 'unknown' : `system:${cause.kind}`);
}
