import { readAccessFile } from '../adapters/access-file.js';
import { rolesOf } from '../domain/promotion/access.js';
import { PerdureError } from '../domain/errors.js';

/** Those who may take a model away from its callers. */
export const mayRetire = ['owner', 'approver'];

/**
 * @throws PerdureError `access/denied` for an actor to whom the access file gives none of the roles; `what` completes
 * "may not …".
 */
export async function mustHaveRole(
  accessFile: string,
  actor: string,
  roles: readonly string[],
  what: string,
): Promise<void> {
  const held = rolesOf(await readAccessFile(accessFile), actor);
  if (roles.some((role) => held.includes(role))) return;
  throw new PerdureError(
    'access/denied',
    `${actor} may not ${what}: this requires the role ${roles.join(' or ')}. Roles are in the access file.`,
    {
      actor,
      roles: [...roles],
    },
  );
}
