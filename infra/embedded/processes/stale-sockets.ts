import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../../domain/errors.js';

/** Where SeaweedFS puts its sockets, whatever TMPDIR says. */
const folder = '/tmp';

/**
 * Removes the sockets that a killed SeaweedFS has left for these ports, which are known to be free: its next start
 * would talk to them for ever.
 * @throws PerdureError `environment/broken` for one that belongs to another user.
 */
export function removeStaleSockets(ports: readonly number[]): void {
  for (const name of readdirSync(folder)) {
    const port = /^seaweedfs-[a-z0-9-]+-(\d+)\.sock$/.exec(name)?.[1];
    if (port === undefined || !ports.includes(Number(port))) continue;
    const file = path.join(folder, name);
    try {
      rmSync(file, { force: true });
    } catch {
      throw new PerdureError(
        'environment/broken',
        `${file} was left by another user's object store and keeps S3 from starting. Have it ` +
          'removed, or set PERDURE_S3_PORT to another port.',
        { file },
      );
    }
  }
}
