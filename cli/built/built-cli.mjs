import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * What was built of which sources, for which Node. Paths of `sources` are relative to the checkout, those of `files` to
 * `folder`.
 * @typedef {{ root: string, node: string, folder: string, sources: Record<string, string>, files: Record<string,
 * string> }} Build
 */

/** Beside the packages that it needs. @param {string} projectRoot */
export const buildsOf = (projectRoot) => path.join(projectRoot, 'node_modules', '.cache', 'perdure-cli');

export const programName = 'run-cli.cjs';

/**
 * Differs after every edit: the system itself writes the time of a change (`ctime`), which no tool can set.
 * @param {string} file
 */
export function stampOf(file) {
  const found = statSync(file, { throwIfNoEntry: false });
  return found ? `${found.size} ${found.mtimeMs} ${found.ctimeMs}` : 'absent';
}

/**
 * The program built of these very sources, or undefined: none is there, a source has changed, or a file of it was lost.
 * @param {string} projectRoot
 */
export function builtCli(projectRoot) {
  try {
    const builds = buildsOf(projectRoot);
    /** @type {Build} */
    const { root, node, folder, sources, files } = JSON.parse(readFileSync(path.join(builds, 'current.json'), 'utf8'));
    /** @param {string} base @param {Record<string, string>} stamps */
    const unchanged = (base, stamps) =>
      Object.entries(stamps).every(([file, stamp]) => stampOf(path.join(base, file)) === stamp);
    const current =
      root === projectRoot &&
      node === process.version &&
      unchanged(projectRoot, sources) &&
      unchanged(path.join(builds, folder), files);
    return current ? path.join(builds, folder, programName) : undefined;
  } catch {
    return undefined;
  }
}

/** No command waits for a build that fails: it runs from the sources, and so does the next. */
const buildingAtMostMs = 60_000;

/**
 * Builds for the commands to come, in a process that outlives this one. One at a time; where nothing can be written,
 * none.
 * @param {string} projectRoot
 */
export function startBuild(projectRoot) {
  try {
    const builds = buildsOf(projectRoot);
    mkdirSync(builds, { recursive: true });
    const lock = path.join(builds, 'building');
    const held = statSync(lock, { throwIfNoEntry: false });
    if (held && Date.now() - held.mtimeMs > buildingAtMostMs) rmSync(lock, { force: true });
    writeFileSync(lock, '', { flag: 'wx' });
    const child = spawn(process.execPath, [fileURLToPath(new URL('./build.mjs', import.meta.url)), projectRoot], {
      cwd: projectRoot,
      detached: true,
      stdio: 'ignore',
    });
    child.once('error', () => rmSync(lock, { force: true }));
    child.unref();
  } catch {
    // Another command builds, or the disk is full or read-only.
  }
}
