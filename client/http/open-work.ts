import { z } from 'zod';
import { activityQueues } from '../../domain/task-queues.js';

const checkSchema = z.object({
  name: z.string(),
  outcome: z.enum(['ok', 'note', 'problem']),
  finding: z.string(),
  remedy: z.string().optional(),
});

/** What waits, and what of the open work does not get on. */
export const openWorkSchema = z.object({
  /** When it was found; null while nothing was. */
  asOf: z.iso.datetime().nullable(),
  /** Null where it could not be asked. */
  waiting: z
    .object({
      queues: z.array(
        z.object({
          queue: z.enum(['workflows', ...activityQueues]),
          taskQueue: z.string(),
          waiting: z.number(),
          waitsSeconds: z.number(),
          pollers: z.number(),
        }),
      ),
      runs: z.object({ model: z.number(), data: z.number(), training: z.number() }),
    })
    .nullable(),
  troubles: z.array(checkSchema),
});
export type OpenWorkReply = z.infer<typeof openWorkSchema>;
