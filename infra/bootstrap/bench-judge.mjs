import path from 'node:path';
import { ensureInstalled, projectRoot, runBootstrapped } from './ensure-installed.mjs';
import { runForeground } from './run-foreground.mjs';

await runBootstrapped(async () => {
  await ensureInstalled();
  const program = path.join(projectRoot, 'bench', 'judge', 'main.ts');
  return runForeground(process.execPath, ['--import', 'tsx', program, ...process.argv.slice(2)], projectRoot);
});
