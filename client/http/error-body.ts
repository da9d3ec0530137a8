import { z } from 'zod';

/** What the control API answers when it cannot do what was asked. */
export const errorBodySchema = z.object({
  error: z.object({
    /** A code of `docs/errors.md`, or `unexpected` for a fault of the API itself. */
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
  }),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;
