import path from 'node:path';
import { ensureInstalled, projectRoot, runBootstrapped } from './ensure-installed.mjs';
import { runForeground } from './run-foreground.mjs';

/** Without arguments everything but the drills, which `npm run test:long` plays. */
const asked = process.argv.slice(2);
const args = asked.length > 0 ? asked : ['--project', '!drills'];

await runBootstrapped(async () => {
  await ensureInstalled({ forTests: true });
  const vitest = path.join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
  return runForeground(process.execPath, [vitest, 'run', ...args], projectRoot);
});
