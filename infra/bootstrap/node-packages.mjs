import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installStep } from './install-step.mjs';

/**
 * @typedef {{ version?: string, integrity?: string, link?: boolean, dev?: boolean, devOptional?: boolean, optional?:
 * boolean, peer?: boolean, extraneous?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage
 */

/**
 * Whether `node_modules` holds what `package-lock.json` locks, by npm's own record of what it installed: a person who
 * ran `npm ci` has nothing to wait for.
 * @param {string} projectRoot @param {{ development: boolean }} wanted
 */
export function nodePackagesFit(projectRoot, { development }) {
  const installedFile = path.join(projectRoot, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return false;
  if (existsSync(stampFile(projectRoot)) && readFileSync(stampFile(projectRoot), 'utf8') === bothRecords(projectRoot))
    return true;
  const locked = packagesOf(path.join(projectRoot, 'package-lock.json'));
  const installed = packagesOf(installedFile);
  return Object.entries(locked).every(([place, entry]) => {
    if (place === '' || entry.link) return true;
    const present = installed[place];
    if (present) return present.version === entry.version && present.integrity === entry.integrity;
    return mayBeAbsent(entry, development);
  });
}

/** @param {string} projectRoot */
export async function installNodePackages(projectRoot) {
  const npm = npmCommand();
  const args = [...npm.args, 'ci', '--include=dev', '--include=optional', '--no-progress', '--loglevel=error'];
  await installStep(
    'Node packages, PostgreSQL and Temporal SDK among them (about 250 MB)',
    async (run) => void (await run(npm.file, args)),
    projectRoot,
  );
  // What `npm ci` made of this lock file is right by definition, whatever it chose to leave out.
  writeFileSync(stampFile(projectRoot), bothRecords(projectRoot));
}

/** @param {string} projectRoot */
function stampFile(projectRoot) {
  return path.join(projectRoot, 'node_modules', '.perdure-lock');
}

/**
 * One hash of the lock file and of npm's record, which any later npm command that changes something writes anew.
 * @param {string} projectRoot
 */
function bothRecords(projectRoot) {
  const hash = createHash('sha256');
  for (const file of ['package-lock.json', 'node_modules/.package-lock.json'])
    hash.update(readFileSync(path.join(projectRoot, file)));
  return hash.digest('hex');
}

/**
 * npm leaves out optional packages of other platforms and whatever only those need. One that names this platform is
 * wanted.
 * @param {LockedPackage} entry @param {boolean} development
 */
function mayBeAbsent(entry, development) {
  if ((entry.dev || entry.devOptional) && !development) return true;
  if (entry.peer || entry.extraneous) return true;
  if (!entry.optional && !entry.devOptional) return false;
  const isForHere = entry.os?.includes(process.platform) && entry.cpu?.includes(process.arch) && !entry.libc;
  return !isForHere;
}

/** @param {string} file @returns {Record<string, LockedPackage>} */
function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages ?? {};
}

/** Under `npm start` the npm that runs us, else the one on the PATH. */
function npmCommand() {
  const running = process.env.npm_execpath;
  return running && /npm-cli\.[cm]?js$/.test(running)
    ? { file: process.execPath, args: [running] }
    : { file: 'npm', args: [] };
}
