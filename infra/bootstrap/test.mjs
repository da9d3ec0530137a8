import path from 'node:path';
import { ensureInstalled, projectRoot, runBootstrapped } from './ensure-installed.mjs';
import { runForeground } from './run-foreground.mjs';

await runBootstrapped(async () => {
  await ensureInstalled({ forTests: true });
  const vitest = path.join(projectRoot, 'node_modules', 'vitest', 'vitest.mjs');
  return runForeground(process.execPath, [vitest, 'run', ...process.argv.slice(2)], projectRoot);
});
