#!/usr/bin/env node
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { builtCli, startBuild } from './built/built-cli.mjs';
import { loadProgram } from './built/load-program.mjs';

const projectRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
// Whoever reads only the first lines, as `head` does, has what he wants.
process.stdout.on('error', (error) => {
  if ('code' in error && error.code === 'EPIPE') process.exit();
  throw error;
});
const { runCli } = built() ?? (await sources());
process.exitCode = await runCli(process.argv.slice(2));
// What was given up, as a server that hangs, keeps no command.
setTimeout(() => process.exit(), 1_000).unref();
// After Ctrl-C nobody waits for the answers that are still on their way.
if (process.exitCode === 130) process.exit();

/** @returns {typeof import('./run-cli.ts') | undefined} */
function built() {
  try {
    // `up` lives on while builds come and go.
    const program = process.argv.includes('up') ? undefined : builtCli(projectRoot);
    return program && loadProgram(program).exports;
  } catch {
    return undefined;
  }
}

async function sources() {
  const { ensureInstalled } = await import('../infra/bootstrap/ensure-installed.mjs');
  try {
    await ensureInstalled();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(7);
  }
  startBuild(projectRoot);
  const { register } = await import('tsx/esm/api');
  register();
  return import('./run-cli.ts');
}
