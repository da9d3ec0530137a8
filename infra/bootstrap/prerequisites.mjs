import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const nodeAtLeast = [20, 19];
const pythonAtLeast = [3, 11];

const run = promisify(execFile);

/** @throws {Error} when this Node is too old */
export function checkNode(version = process.versions.node) {
  if (isAtLeast(version, nodeAtLeast)) return;
  throw new Error(
    `Perdure needs Node ${nodeAtLeast.join('.')} or newer; this is ${version}. Install a current Node ` +
      '(https://nodejs.org) and run the command again.',
  );
}

/**
 * The Python with which the tools are made: `python3`, else the newest one that is named by its version.
 * @returns {Promise<string>} its absolute path
 * @throws {Error} when none is new enough
 */
export async function findPython() {
  const found = [];
  for (const name of ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python']) {
    const answer = await run(name, [
      '-c',
      'import sys; print(sys.executable, "%d.%d.%d" % sys.version_info[:3])',
    ]).catch(() => undefined);
    const match = /^(.+) (\d+\.\d+\.\d+)\s*$/.exec(answer?.stdout ?? '');
    if (!match?.[1] || !match[2]) continue;
    if (isAtLeast(match[2], pythonAtLeast)) return match[1];
    found.push(`${name} is ${match[2]}`);
  }
  throw new Error(
    `Perdure needs Python ${pythonAtLeast.join('.')} or newer for its trainers and servers; ` +
      `${found.length > 0 ? found.join(', ') : 'no python3 is on the PATH'}. ` +
      'Install it (Debian: apt-get install python3 python3-venv; macOS: brew install python) and run the ' +
      'command again.',
  );
}

/** @param {string} version @param {number[]} minimum */
export function isAtLeast(version, minimum) {
  const parts = version.split('.').map(Number);
  for (const [index, least] of minimum.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
