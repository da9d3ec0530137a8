import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import { writeStateFile } from './state-file.js';

/** Which stack a home is: made with it, and gone with it. Undefined for a home that was never started. */
export function readStackId(home: string): string | undefined {
  try {
    return readFileSync(path.join(home, 'stack-id'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

export function loadStackId(home: string): string {
  const known = readStackId(home);
  if (known !== undefined) return known;
  const id = randomUUID();
  writeStateFile(path.join(home, 'stack-id'), `${id}\n`);
  return id;
}

/**
 * @throws PerdureError `environment/broken` when the state that the stack was started with is not there: an empty
 * server in its place would pass for it.
 */
export function assertSameHome(home: string, stackId: string): void {
  if (readStackId(home) === stackId) return;
  throw new PerdureError(
    'environment/broken',
    `The state folder ${home} was removed or replaced while the stack ran, and is not recreated. ` +
      `Restore it, or run \`npx perdure down\` and then \`npx perdure up\` to start over.`,
  );
}
