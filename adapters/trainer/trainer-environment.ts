import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { PerdureError } from '../../domain/errors.js';
import { trainersPython } from './trainer-program.js';

const run = promisify(execFile);

interface Wanted {
  /** Absolute path of the state folder, under which environments are kept. */
  home: string;
  projectRoot: string;
  /** Every library with version and hash. */
  lockFile: string;
  /** Of the lock file and the Python version. */
  sha256: string;
  /** Whether the lock leaves out on purpose what its libraries ask for and never load. */
  leavesOut?: boolean;
  signal: AbortSignal;
  report: (progress: string) => void;
}

/** So many are kept, the ones used last. */
const keptMax = 5;
/** Whatever was used since may be in use: no training takes longer. */
const inUseMs = 25 * 3_600_000;
const buildMs = 30 * 60_000;

/**
 * The interpreter of a trainer's own environment, which is made from its lock when it is first asked for and shared by
 * all runs after. Nothing of a package runs while it is made: only wheels are installed, and only those whose hashes
 * the lock names.
 * @throws PerdureError `environment/broken` for a lock that cannot be installed; `server/unreachable` where the package
 * index does not answer.
 */
export async function trainerEnvironment(wanted: Wanted): Promise<string> {
  const root = path.join(wanted.home, 'trainer-environments');
  const folder = path.join(root, `${wanted.sha256.slice(0, 32)}-${process.platform}-${process.arch}`);
  const python = path.join(folder, 'bin', 'python');
  // A link to a Python that has been removed does not resolve: then it is made anew.
  const isThere = () =>
    access(python).then(
      () => true,
      () => false,
    );
  if (!(await isThere())) {
    await mkdir(root, { recursive: true });
    const building = await mkdtemp(path.join(root, 'building-'));
    try {
      await build(building, wanted);
      if (!(await isThere())) await rm(folder, { recursive: true, force: true });
      // Another run may have come first: then its environment, made of the same lock, is as good.
      await rename(building, folder).catch(async (error: unknown) => {
        if (!(await isThere())) throw error;
      });
    } finally {
      await rm(building, { recursive: true, force: true });
    }
  }
  await utimes(folder, new Date(), new Date());
  await removeOld(root);
  return python;
}

async function build(folder: string, { projectRoot, lockFile, leavesOut, signal, report }: Wanted): Promise<void> {
  const began = Date.now();
  const uv = path.join(projectRoot, '.tools', 'uv', 'bin', 'uv');
  const call = (...args: string[]) =>
    run(uv, args, { env: installerVariables(), signal, timeout: buildMs, maxBuffer: 16 * 1024 * 1024 });
  report('making the environment of the trainer from its lock');
  try {
    const python = trainersPython(projectRoot);
    await call('venv', '--quiet', '--no-project', '--relocatable', '--allow-existing', '--python', python, folder);
    const into = ['--python', path.join(folder, 'bin', 'python')];
    const rules = ['--require-hashes', '--only-binary', ':all:', '--compile-bytecode'];
    if (leavesOut) rules.push('--no-deps');
    await call('pip', 'install', '--quiet', ...into, ...rules, '-r', lockFile);
  } catch (error) {
    signal.throwIfAborted();
    throw installFailure(error);
  }
  report(`made the environment of the trainer in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** What the installer needs, and none of this process's secrets. */
function installerVariables(): Record<string, string> {
  const wanted = /^(PATH|HOME|LANG|XDG_CACHE_HOME|SSL_CERT_(FILE|DIR)|UV_.*|((HTTPS?|ALL|NO)_PROXY))$/i;
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    wanted.test(name) && value !== undefined ? [[name, value] as const] : [],
  );
  // What was set for pip is meant for uv too.
  const { PIP_INDEX_URL: index, PIP_FIND_LINKS: links } = process.env;
  return {
    ...(index && { UV_DEFAULT_INDEX: index }),
    ...(links && { UV_FIND_LINKS: links }),
    ...Object.fromEntries(kept),
    UV_PYTHON_DOWNLOADS: 'never',
  };
}

/** What an installer says when it does not reach where packages are. */
const unreachable = /error sending request|dns error|connection (refused|reset)|timed? ?out|connectivity is disabled/i;

function installFailure(error: unknown): PerdureError {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const shown = said.trim().split('\n').slice(-12).join('\n').slice(0, 2000) || String(error).slice(0, 500);
  const [code, remedy] = unreachable.test(said)
    ? ([
        'server/unreachable',
        'Make the package index reachable: PIP_INDEX_URL or UV_DEFAULT_INDEX names another',
      ] as const)
    : ([
        'environment/broken',
        'requirements.txt must name every library with version and hashes, each as a wheel for this machine; lock it ' +
          'again as requirements.in says',
      ] as const);
  return new PerdureError(
    code,
    `The environment of the trainer cannot be made from its requirements.txt:\n${shown}\n${remedy}.`,
  );
}

/** Takes away the ones used longest ago, and what a killed process left half made. */
async function removeOld(root: string, now = Date.now()): Promise<void> {
  const found = await Promise.all(
    (await readdir(root)).map(async (name) => ({ name, usedMs: (await stat(path.join(root, name))).mtimeMs })),
  ).catch(() => []); // Another is removing too.
  const old = found.toSorted((a, b) => b.usedMs - a.usedMs).slice(keptMax);
  for (const { name, usedMs } of old)
    if (usedMs < now - inUseMs) await rm(path.join(root, name), { recursive: true, force: true });
}
