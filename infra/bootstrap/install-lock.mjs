import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const waitMs = 200;

/**
 * Runs `work` while no other process installs into this checkout. The lock of a process that has died is taken over.
 * @template T @param {string} projectRoot @param {() => Promise<T>} work @returns {Promise<T>}
 */
export async function withInstallLock(projectRoot, work) {
  const file = path.join(projectRoot, '.tools', 'install.lock');
  mkdirSync(path.dirname(file), { recursive: true });
  const candidate = `${file}.${process.pid}`;
  writeFileSync(candidate, JSON.stringify({ pid: process.pid }));
  let told = false;
  try {
    while (!take(candidate, file)) {
      const holder = holderOf(file);
      if (holder === undefined || !isRunning(holder)) {
        rmSync(file, { force: true });
        continue;
      }
      if (!told) process.stderr.write(`Waiting for the installation that process ${holder} is doing …\n`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  } finally {
    rmSync(candidate, { force: true });
  }
  try {
    return await work();
  } finally {
    if (holderOf(file) === process.pid) rmSync(file, { force: true });
  }
}

/** A hard link appears whole and only once. @param {string} candidate @param {string} file */
function take(candidate, file) {
  try {
    linkSync(candidate, file);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} file @returns {number | undefined} */
function holderOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).pid;
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
