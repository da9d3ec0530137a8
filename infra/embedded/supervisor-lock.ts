import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import { identify, isAlive, processIdentitySchema, type ProcessIdentity } from './process-identity.js';

/**
 * Takes the one place of supervisor of a home; the answer gives it back.
 * @throws PerdureError `state/conflict` when another living process holds it.
 */
export function takeSupervisorLock(home: string): () => void {
  const file = supervisorLockPath(home);
  mkdirSync(path.dirname(file), { recursive: true });
  const self = identify(process.pid);
  if (!self) throw new PerdureError('environment/broken', 'This system does not tell when a process started. Mount /proc, or install ps.');
  const candidate = `${file}.${process.pid}`;
  writeFileSync(candidate, JSON.stringify(self));
  try {
    for (let attempt = 0; attempt < 20; attempt += 1) {
      try {
        linkSync(candidate, file); // Fails when the name is taken: one winner, and never a half-written file.
        return () => {
          if (readLock(file)?.pid === process.pid) rmSync(file, { force: true });
        };
      } catch {
        const holder = readLock(file);
        if (holder && isAlive(holder)) {
          throw new PerdureError(
            'state/conflict',
            `The stack of ${home} is already supervised by process ${holder.pid}. Use it, stop it with \`npx perdure down\`, or set PERDURE_HOME to another folder.`,
            { pid: holder.pid },
          );
        }
        rmSync(file, { force: true });
      }
    }
  } finally {
    rmSync(candidate, { force: true });
  }
  throw new PerdureError('environment/broken', `${file} can be neither taken nor removed. Check who may write to ${path.dirname(file)}.`);
}

/** The living supervisor of a home, if there is one. */
export function currentSupervisor(home: string): ProcessIdentity | undefined {
  const holder = readLock(supervisorLockPath(home));
  return holder && isAlive(holder) ? holder : undefined;
}

export function supervisorLockPath(home: string): string {
  return path.join(home, 'run', 'supervisor.json');
}

function readLock(file: string): ProcessIdentity | undefined {
  try {
    return processIdentitySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
