import { z } from 'zod';

/** Which stack answers, and which Temporal it uses. */
export const stackSchema = z.object({
  /** Null for a control API that belongs to no stack of one machine. */
  id: z.string().nullable(),
  home: z.string().nullable(),
  temporal: z.object({
    address: z.string(),
    namespace: z.string(),
    /**
     * The server's own id of the namespace: the same address may be another server elsewhere, another address the same.
     */
    namespaceId: z.string(),
  }),
});
export type Stack = z.infer<typeof stackSchema>;
