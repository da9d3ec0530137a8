import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs a program in our place: same terminal, signals passed on, its exit code as the answer (128 + number when a
 * signal ended it).
 * @param {string} file
 * @param {readonly string[]} args
 * @param {string} cwd
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function runForeground(file, args, cwd, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: options.env ?? process.env, stdio: 'inherit' });
    /** @type {NodeJS.Signals[]} */
    const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    for (const signal of passedOn) process.on(signal, pass);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of passedOn) process.off(name, pass);
      resolve(signal ? 128 + constants.signals[signal] : (code ?? 1));
    });
  });
}
