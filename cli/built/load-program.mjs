import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

/** Beside a program: what V8 made of it. @param {string} file */
export const compiledOf = (file) => `${file}.compiled`;

/**
 * Loads a program that esbuild made as one function of `require`, `module` and `__filename`. With what V8 compiled of
 * it before, nothing is compiled again: half of what a command takes. V8 itself refuses what another version of it
 * made.
 * @param {string} file
 */
export function loadProgram(file) {
  const script = new Script(readFileSync(file, 'utf8'), { filename: file, cachedData: compiled(file) });
  const module = { exports: {} };
  script.runInThisContext()(createRequire(file), module, file);
  return { script, exports: module.exports };
}

/** @param {string} file */
function compiled(file) {
  try {
    return readFileSync(compiledOf(file));
  } catch {
    return undefined;
  }
}
