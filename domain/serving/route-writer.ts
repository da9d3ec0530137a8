import { z } from 'zod';

/** What wrote a route, and who was the cause. */
export const routeWriterSchema = z.strictObject({
  /** A stage of a rollout, the way back of a rollout, or a rollback. */
  kind: z.enum(['stage', 'back', 'rollback']),
  /** Null for a rollback. */
  rolloutId: z.string().nullable(),
  /** Who advanced, aborted or rolled back; null where the judge or the policy moved it. */
  actor: z.string().nullable(),
  /** The actor's roles at that moment; null where nobody acted, or they could not be read. */
  roles: z.array(z.string()).nullable(),
});
export type RouteWriter = z.infer<typeof routeWriterSchema>;

/** The writer of a route by its key, as workflows have always made it; undefined for a route that no workflow wrote. */
export function writerOfKey(idempotencyKey: string): RouteWriter | undefined {
  const [, run, kind] = /^(.+)\/(step-\d+|back|rollback)$/s.exec(idempotencyKey) ?? [];
  if (run === undefined || kind === undefined) return undefined;
  const nobody = { actor: null, roles: null };
  if (kind === 'rollback') return { kind, rolloutId: null, ...nobody };
  return { kind: kind === 'back' ? kind : 'stage', rolloutId: run, ...nobody };
}
