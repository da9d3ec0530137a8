import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { withInstallLock } from './install-lock.mjs';
import { installNodePackages, nodePackagesFit } from './node-packages.mjs';
import { checkNode, findPython } from './prerequisites.mjs';
import { installTool, isToolFresh, toolFiles, wantedTools } from './python-tools.mjs';

export const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * Installs what is missing or stale, and nothing else: Node packages by the lock file, Python tools and servers into
 * `.tools/`. Silent when everything is in place. Two calls at once, in any processes, do the work once.
 *
 * @param {{ forTests?: boolean }} [options] with `forTests` also the development packages and the Python programs that
 * tests compare with
 * @throws {Error} with the remedy in its message, when a prerequisite is missing or an install fails
 */
export async function ensureInstalled({ forTests = false } = {}) {
  checkNode();
  if (isComplete(forTests)) return;
  const pid = livingSupervisor();
  if (pid !== undefined) {
    // An install replaces node_modules under the processes that run from it.
    process.stderr.write(
      `What is installed no longer fits the lock files, and the stack is up (process ${pid}). Run \`npx ` +
        `perdure down\`, then start again to install it.\n`,
    );
    return;
  }
  await withInstallLock(projectRoot, async () => {
    if (isComplete(forTests)) return; // Somebody else did it while we waited.
    const python = await findPython();
    if (!nodePackagesFit(projectRoot, { development: forTests })) await installNodePackages(projectRoot);
    for (const tool of wantedTools(projectRoot, forTests)) {
      if (!isToolFresh(tool)) await installTool(projectRoot, tool, python);
    }
  });
}

/** Process id of the supervisor of this home, while it lives. */
function livingSupervisor() {
  try {
    const lock = path.resolve(projectRoot, process.env.PERDURE_HOME || '.perdure', 'run', 'supervisor.json');
    const { pid } = JSON.parse(readFileSync(lock, 'utf8'));
    process.kill(pid, 0);
    return /** @type {number} */ (pid);
  } catch {
    return undefined;
  }
}

/** @param {boolean} forTests */
function isComplete(forTests) {
  return (
    nodePackagesFit(projectRoot, { development: forTests }) && wantedTools(projectRoot, forTests).every(isToolFresh)
  );
}

/** Whether all that the product needs is installed. */
export const isInstalled = () => isComplete(false);

/** What an installation of Python tools is recognized by, as absolute paths. @param {string} root */
export const installedFiles = (root) => wantedTools(root, false).flatMap(toolFiles);

/** Runs `main`; a failure becomes one readable message and a non-zero exit. @param {() => Promise<number>} main */
export async function runBootstrapped(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 7;
  }
}
