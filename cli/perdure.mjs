#!/usr/bin/env node
import module from 'node:module';
import path from 'node:path';
import { ensureInstalled, projectRoot } from '../infra/bootstrap/ensure-installed.mjs';
import { buildsOf, builtCli, startBuild } from './built/built-cli.mjs';

try {
  await ensureInstalled();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(7);
}
const { runCli } = (await built()) ?? (await sources());
process.exitCode = await runCli(process.argv.slice(2));
// After Ctrl-C nobody waits for the answers that are still on their way.
if (process.exitCode === 130) process.exit();

/** @returns {Promise<typeof import('./run-cli.ts') | undefined>} */
async function built() {
  // `up` lives on while builds come and go.
  const program = process.argv.includes('up') ? undefined : builtCli(projectRoot);
  if (!program) return undefined;
  // From Node 22.1 on.
  if ('enableCompileCache' in module) module.enableCompileCache(path.join(buildsOf(projectRoot), 'compiled'));
  return import(program).catch(() => undefined);
}

async function sources() {
  startBuild(projectRoot);
  const { register } = await import('tsx/esm/api');
  register();
  return import('./run-cli.ts');
}
