import { accessSync, constants, existsSync, readFileSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { PerdureConfig } from '../../perdure.config.js';
import { note, ok, problem, type Check } from './doctor-check.js';
import { leftovers } from './run-files.js';
import { loadSecrets } from './secrets.js';
import { currentSupervisor, supervisorLockPath } from './supervisor-lock.js';

const leastFreeBytes = 2 * 1024 ** 3;

/** The state folder, the disk, the access file and what earlier supervisors may have left. */
export async function stateChecks(config: PerdureConfig): Promise<Check[]> {
  return [
    homeCheck(config.home),
    diskCheck(config.home),
    secretsCheck(config.home),
    accessCheck(config.accessFile),
    ...supervisorChecks(config.home),
  ];
}

function homeCheck(home: string): Check {
  try {
    accessSync(nearestFolder(home), constants.W_OK);
    return ok('state folder', home);
  } catch {
    return problem('state folder', `${home} cannot be written`, 'Correct its permissions, or set PERDURE_HOME to a folder of yours.');
  }
}

/** The folder itself, or the one in which it would be made. */
function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

function diskCheck(home: string): Check {
  const { bavail, bsize } = statfsSync(nearestFolder(home));
  const free = bavail * bsize;
  const finding = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  return free >= leastFreeBytes
    ? ok('disk space', finding)
    : problem('disk space', finding, `Free at least ${leastFreeBytes / 1024 ** 3} GiB: servers stop writing on a full disk.`);
}

function secretsCheck(home: string): Check {
  const file = path.join(home, 'secrets.json');
  if (!existsSync(file)) return ok('credentials', 'not made yet; the first start makes them');
  try {
    loadSecrets(home);
  } catch (error) {
    return problem('credentials', error instanceof Error ? error.message : String(error), 'Restore the file from a copy.');
  }
  return (statSync(file).mode & 0o077) === 0
    ? ok('credentials', file)
    : problem('credentials', `${file} can be read by others`, `chmod 600 ${file}`);
}

function accessCheck(file: string): Check {
  if (!existsSync(file)) return ok('access file', 'none; the local owner has every role');
  try {
    JSON.parse(readFileSync(file, 'utf8'));
    return ok('access file', file);
  } catch (error) {
    return problem(
      'access file',
      `${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      'Correct it; until then nobody may approve.',
    );
  }
}

function supervisorChecks(home: string): Check[] {
  const supervisor = currentSupervisor(home);
  if (supervisor) return [ok('supervisor', `process ${supervisor.pid}`)];
  const left = leftovers(home);
  const remedy = 'The next start puts it right; `npx perdure down` does so now.';
  if (left.length > 0) return [problem('supervisor', `none, but ${left.map(({ name }) => name).join(', ')} still run`, remedy)];
  if (existsSync(supervisorLockPath(home))) return [note('supervisor', 'the lock of one that has died is still there', remedy)];
  return [ok('supervisor', 'none; nothing runs')];
}
