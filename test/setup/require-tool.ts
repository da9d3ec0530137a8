import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'vitest';

/** The absolute path of the first of these programs that is on the PATH. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  return names
    .flatMap((name) => folders.map((folder) => path.join(folder, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/**
 * `describe` for a suite that needs a program which a laptop may lack. Without it the suite is named as left out; with
 * PERDURE_TEST_REQUIRE=all, as in CI, it fails instead.
 *
 *     describeWith('chromium', findProgram('chromium'), (chromium) => { it('…', …) })
 */
export function describeWith<T>(tool: string, found: T | undefined, suite: (found: T) => void): void {
  if (found !== undefined) {
    describe(`with ${tool}`, () => suite(found));
  } else if (process.env.PERDURE_TEST_REQUIRE === 'all') {
    throw new Error(`${tool} is missing, and PERDURE_TEST_REQUIRE=all makes that a failure. Install it.`);
  } else {
    process.stderr.write(`left out: ${tool} is not installed\n`);
    describe(`left out: ${tool} is not installed`, () => it.skip(`needs ${tool}`, () => undefined));
  }
}
