#!/usr/bin/env node
import { ensureInstalled } from '../infra/bootstrap/ensure-installed.mjs';

try {
  await ensureInstalled();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(7);
}
const { register } = await import('tsx/esm/api');
register();
const { runCli } = await import('./run-cli.ts');
process.exitCode = await runCli(process.argv.slice(2));
// After Ctrl-C nobody waits for the answers that are still on their way.
if (process.exitCode === 130) process.exit();
