import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { Algorithm } from '../../domain/training/training-policy.js';

export interface TrainerProgram {
  /** An interpreter; of those that come with the product that of `.tools/trainers`. */
  python: string;
  /** The folder that holds the package `perdure_trainer`. */
  programDir: string;
  /** Every library with version and hash. */
  lockFile: string;
  /** Whether that environment is made when it is first asked for, since not everybody needs it. */
  madeOnDemand?: boolean;
}

/** The interpreter of the trainers that come with the product. @param projectRoot absolute path of the checkout */
export const trainersPython = (projectRoot: string): string => path.join(projectRoot, '.tools/trainers/bin/python');

/** Where the program for an algorithm lies. @param projectRoot absolute path of the checkout. */
export function trainerFor(algorithm: Algorithm, projectRoot: string): TrainerProgram {
  const programDir = path.join(projectRoot, 'trainers', 'tabular');
  const program = { python: trainersPython(projectRoot), programDir };
  return algorithm === 'catboost'
    ? { ...program, lockFile: path.join(programDir, 'requirements-catboost.txt'), madeOnDemand: true }
    : { ...program, lockFile: path.join(programDir, 'requirements.txt') };
}

/**
 * What a model depends on beside its data and its specification: the lock file and the Python version, hashed for
 * lineage.
 * @returns SHA-256, 64 lower-case hex digits.
 * @throws PerdureError `environment/broken` when the trainers' environment is not installed.
 */
export async function trainerEnvironmentDigest({ python, lockFile }: TrainerProgram): Promise<string> {
  return environmentDigest(python, await readFile(lockFile).catch(notUsable));
}

/** The same of a lock file's content. */
export async function environmentDigest(python: string, lock: Uint8Array): Promise<string> {
  try {
    await access(python);
    const { stdout } = await promisify(execFile)(python, ['-c', 'import platform; print(platform.python_version())'], {
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', PYTHONNOUSERSITE: '1' },
      timeout: 30_000,
    });
    return createHash('sha256').update(lock).update(`\npython ${stdout.trim()}\n`).digest('hex');
  } catch (error) {
    return notUsable(error);
  }
}

function notUsable(error: unknown): never {
  throw new PerdureError(
    'environment/broken',
    `The trainers' environment is not usable: ${messageOf(error)}. Install it with \`npm start\`; \`perdure doctor\` ` +
      'says more.',
  );
}
