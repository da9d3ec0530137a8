import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

/**
 * Whether the migrations make exactly what `db/schema` describes: they are consistent with each other, and generating
 * anew yields nothing.
 * @param {string} projectRoot
 */
export function checkSchemaAgainstMigrations(projectRoot) {
  const scratch = path.join('node_modules', '.cache', 'perdure-schema-check');
  const migrations = path.join(projectRoot, 'db', 'migrations');
  const copy = path.join(projectRoot, scratch);
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(path.dirname(copy), { recursive: true });
  cpSync(migrations, copy, { recursive: true });
  try {
    const options = ['--dialect=postgresql', `--out=./${scratch}`];
    const consistent = drizzleKit(projectRoot, ['check', ...options]);
    if (!consistent.passed) return report(`The migrations contradict each other.\n${consistent.output}`);
    const before = new Set(readdirSync(copy));
    const generated = drizzleKit(projectRoot, [
      'generate',
      '--schema=./db/schema/index.ts',
      ...options,
      '--name=missing',
    ]);
    const added = readdirSync(copy).filter((file) => file.endsWith('.sql') && !before.has(file));
    if (added[0]) {
      const statements = readFileSync(path.join(copy, added[0]), 'utf8').trim();
      return report(
        `db/schema differs from db/migrations. Run \`npx drizzle-kit generate --config ` +
          `db/drizzle.config.ts\`. What no migration does yet:\n${statements}`,
      );
    }
    // Where a column may have been renamed it would ask, and cannot here.
    if (!generated.passed)
      return report('db/schema differs from db/migrations, or cannot be ' + `read.\n${generated.output}`);
    process.stdout.write(
      `${[...before].filter((file) => file.endsWith('.sql')).length} migrations make ` + `exactly the schema.\n`,
    );
    return true;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** @param {string} projectRoot @param {string[]} args */
function drizzleKit(projectRoot, args) {
  const program = path.join(projectRoot, 'node_modules', '.bin', 'drizzle-kit');
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: projectRoot,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { passed: status === 0, output: `${stdout}${stderr}`.trim() };
}

/** @param {string} text */
function report(text) {
  process.stdout.write(`${text}\n`);
  return false;
}
