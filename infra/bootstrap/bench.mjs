import { ensureInstalled, projectRoot, runBootstrapped } from './ensure-installed.mjs';
import { runForeground } from './run-foreground.mjs';

await runBootstrapped(async () => {
  await ensureInstalled();
  return runForeground(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)], projectRoot);
});
