import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { PerdureConfig } from '../../../perdure.config.js';
import { freeBytes, fullBelowBytes, leastFreeBytes, nearestFolder } from './disk-space.js';
import { note, ok, problem, type Check } from '../../../oversight/check.js';
import { leftovers } from '../processes/run-files.js';
import { loadSecrets } from '../secrets.js';
import { currentSupervisor, hasSupervisorLock } from '../supervision/supervisor-lock.js';
import { messageOf } from '../../../domain/errors.js';

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
    return problem(
      'state folder',
      `${home} cannot be written`,
      'Correct its permissions, or set PERDURE_HOME to a folder you own.',
    );
  }
}

function diskCheck(home: string): Check {
  const free = freeBytes(home);
  const finding = `${(free / 1024 ** 3).toFixed(1)} GiB free`;
  if (free < fullBelowBytes)
    return problem(
      'disk space',
      `the disk of ${home} is full: ${Math.floor(free / 1024 ** 2)} MiB free`,
      'Free some space: what stopped then restarts within half a minute.',
    );
  return free >= leastFreeBytes
    ? ok('disk space', finding)
    : problem(
        'disk space',
        finding,
        `Free at least ${leastFreeBytes / 1024 ** 3} GiB: servers stop writing on a full disk.`,
      );
}

function secretsCheck(home: string): Check {
  const file = path.join(home, 'secrets.json');
  if (!existsSync(file)) return ok('credentials', 'not created yet; the first start creates them');
  try {
    loadSecrets(home);
  } catch (error) {
    return problem('credentials', messageOf(error), 'Restore the file from a copy.');
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
      `${file} is not JSON: ${messageOf(error)}`,
      'Correct it; until then nobody can approve.',
    );
  }
}

function supervisorChecks(home: string): Check[] {
  const supervisor = currentSupervisor(home);
  const left = supervisor && hasSupervisorLock(home) ? [] : leftovers(home);
  const names = left.map(({ name, process: { pid } }) => `${name} (process ${pid})`).join(', ');
  if (supervisor && left.length > 0)
    return [
      problem(
        'supervisor',
        `process ${supervisor.pid}, but its files in ${home} were removed; ${names} run`,
        'Restore the state folder, or stop them with `npx perdure down`.',
      ),
    ];
  if (supervisor) return [ok('supervisor', `process ${supervisor.pid}`)];
  const remedy = '`npx perdure up` takes them over; `npx perdure down` stops them.';
  if (left.length > 0) return [problem('supervisor', `none, but ${names} run`, remedy)];
  if (hasSupervisorLock(home))
    return [note('supervisor', 'a lock of a dead supervisor is left', 'The next start removes it.')];
  return [ok('supervisor', 'none; nothing runs')];
}
