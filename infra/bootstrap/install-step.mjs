import { spawn } from 'node:child_process';

/**
 * Runs one step of the installation: says what it does and how long it took, on one line; the commands' own output is
 * shown only when they fail.
 * @param {string} title what is installed and how much is downloaded
 * @param {(run: (file: string, args: string[], options?: { env?: NodeJS.ProcessEnv }) => Promise<string>) =>
 * Promise<void>} work
 * @param {string} cwd
 */
export async function installStep(title, work, cwd) {
  const began = Date.now();
  process.stderr.write(`  installing ${title} … `);
  try {
    await work((file, args, options) => runQuietly(file, args, cwd, options?.env));
  } catch (error) {
    process.stderr.write('failed\n');
    throw error;
  }
  process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1)} s\n`);
}

/**
 * @param {string} file
 * @param {string[]} args
 * @param {string} cwd
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<string>} standard output
 */
function runQuietly(file, args, cwd, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let everything = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      everything += chunk;
    });
    child.stderr.on('data', (chunk) => (everything += chunk));
    child.on('error', (error) => reject(new Error(`${file} cannot be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(output);
      else
        reject(
          new Error(
            `${[file, ...args].join(' ')} ended with ` +
              `${signal ?? code}:\n${everything.trim().split('\n').slice(-25).join('\n')}`,
          ),
        );
    });
  });
}
