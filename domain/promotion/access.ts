import { z } from 'zod';

/** Who has which role, until people log in. A name may end in or begin with `*`. System actors never have a role. */
export const accessSchema = z.strictObject({
  /** Whether a person may approve what they asked for: for a laptop with one owner. Recorded as self-approved. */
  allowRequester: z.boolean().default(false),
  roles: z.record(z.string().min(1), z.array(z.string().min(1))),
});
export type Access = z.infer<typeof accessSchema>;

export function rolesOf(access: Access, actor: string): string[] {
  if (actor.startsWith('system:')) return [];
  return Object.entries(access.roles)
    .filter(([, names]) => names.some((name) => matches(name, actor)))
    .map(([role]) => role);
}

const matches = (pattern: string, actor: string): boolean =>
  pattern === '*' ||
  pattern === actor ||
  (pattern.startsWith('*') && actor.endsWith(pattern.slice(1))) ||
  (pattern.endsWith('*') && actor.startsWith(pattern.slice(0, -1)));
