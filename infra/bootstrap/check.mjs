import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { ensureInstalled, projectRoot, runBootstrapped } from './ensure-installed.mjs';
import { checkSchemaAgainstMigrations } from './schema-check.mjs';

/** `npm run check [-- --fix]`: every check runs and is reported, whatever the ones before it said. */
const fix = process.argv.includes('--fix');

const checks = [
  { name: 'types', run: () => program('tsc', ['--project', '.']) },
  {
    name: 'lint and folder zones',
    run: () => program('oxlint', ['--config', 'oxlint.config.mjs', '--type-aware', ...(fix ? ['--fix'] : [])]),
  },
  { name: 'format', run: () => program('prettier', ['--log-level', 'warn', fix ? '--write' : '--check', '.']) },
  { name: 'dead exports, files, dependencies', run: () => program('knip', ['--no-progress', '--no-config-hints']) },
  { name: 'schema against migrations', run: () => checkSchemaAgainstMigrations(projectRoot) },
];

await runBootstrapped(async () => {
  await ensureInstalled({ forTests: true });
  const results = checks.map(({ name, run }) => {
    const began = Date.now();
    process.stdout.write(`\n── ${name}\n`);
    const passed = run();
    return { name, passed, seconds: ((Date.now() - began) / 1000).toFixed(1) };
  });
  process.stdout.write('\n');
  for (const { name, passed, seconds } of results)
    process.stdout.write(`${passed ? '✓' : '✗'} ` + `${name.padEnd(36)} ${seconds} s\n`);
  const failed = results.filter(({ passed }) => !passed).length;
  process.stdout.write(
    failed === 0
      ? 'All checks passed.\n'
      : `${failed} of ${results.length} checks failed. \`npm run check -- --fix\` repairs what can be repaired.\n`,
  );
  return failed === 0 ? 0 : 1;
});

/** @param {string} name @param {string[]} args */
function program(name, args) {
  const { status } = spawnSync(path.join(projectRoot, 'node_modules', '.bin', name), args, {
    cwd: projectRoot,
    stdio: 'inherit',
  });
  return status === 0;
}
