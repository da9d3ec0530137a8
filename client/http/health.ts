import { z } from 'zod';

const reachabilitySchema = z.object({
  reachable: z.boolean(),
  latencyMs: z.number(),
  /** Why it could not be reached; null when it was. */
  error: z.string().nullable(),
});
export type Reachability = z.infer<typeof reachabilitySchema>;

/** `degraded` while one of the servers does not answer; the API itself lives. */
export const healthSchema = z.object({
  status: z.enum(['ok', 'degraded']),
  servers: z.object({ database: reachabilitySchema, temporal: reachabilitySchema, s3: reachabilitySchema }),
});
export type Health = z.infer<typeof healthSchema>;
