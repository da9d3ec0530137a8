import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildCli, bundle } from '../../../../cli/built/build.mjs';
import { commandGroups } from '../../../../cli/command-groups.js';
import type { runCli as RunCli } from '../../../../cli/run-cli.js';
import { buildsOf, builtCli, startBuild } from '../../../../cli/built/built-cli.mjs';
import { compiledOf, loadProgram } from '../../../../cli/built/load-program.mjs';

describe('the built command line', () => {
  let root: string;
  const part = () => path.join(root, 'cli', 'part.ts');
  const write = (text: string) => writeFileSync(part(), `export const said: string = '${text}';\n`);
  const says = async () => {
    const program = builtCli(root);
    if (program === undefined) return undefined;
    return (loadProgram(program).exports as { say: () => Promise<string[]> }).say();
  };

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'perdure-built-cli-'));
    mkdirSync(path.join(root, 'cli'));
    writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
    write('one');
    writeFileSync(
      path.join(root, 'cli', 'run-cli.ts'),
      `export const say = async () => [(await import('./part.js')).said, import.meta.url];\n`,
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test('runs what the sources say, and each finds what lies beside it', async () => {
    expect(builtCli(root)).toBeUndefined();
    await buildCli(root);
    expect(await says()).toEqual(['one', `file://${root}/cli/run-cli.ts`]);
  });

  test('is out of use from the edit of a source on, of the same length and with its old time even', async () => {
    await buildCli(root);
    const { atime, mtime } = statSync(part());
    write('two');
    utimesSync(part(), atime, mtime);
    expect(builtCli(root)).toBeUndefined();
    await buildCli(root);
    expect((await says())?.[0]).toBe('two');
  });

  test('is out of use when a source, a setting or a file of it is gone, and where it was made elsewhere or for another Node', async () => {
    await buildCli(root);
    const state = path.join(buildsOf(root), 'current.json');
    const whole = readFileSync(state, 'utf8');
    const ofOtherNode = whole.replace(process.version, 'v19.0.0');
    for (const wrong of [whole.slice(0, -9), '', whole.replaceAll(root, `${root}-moved`), ofOtherNode]) {
      writeFileSync(state, wrong);
      expect(builtCli(root)).toBeUndefined();
    }
    writeFileSync(state, whole);
    expect(builtCli(root)).toBeDefined();
    writeFileSync(path.join(root, 'package-lock.json'), '{}');
    expect(builtCli(root)).toBeUndefined();
    rmSync(path.join(root, 'package-lock.json'));

    rmSync(compiledOf(builtCli(root) ?? ''));
    expect(builtCli(root)).toBeUndefined();
    await buildCli(root);
    rmSync(part());
    expect(builtCli(root)).toBeUndefined();
  });

  test('is not made of sources that do not parse, and leaves nothing behind', async () => {
    await buildCli(root);
    const before = readdirSync(buildsOf(root));
    writeFileSync(part(), 'export const said = ;');
    await expect(buildCli(root)).rejects.toThrow(/Unexpected/);
    expect(builtCli(root)).toBeUndefined();
    expect(readdirSync(buildsOf(root))).toEqual(before);
  });

  test('may be made twice at once, and keeps few builds', async () => {
    await Promise.all([buildCli(root), buildCli(root)]);
    expect((await says())?.[0]).toBe('one');
    for (let old = 0; old < 30; old += 1) mkdirSync(path.join(buildsOf(root), `built-old${old}`));
    await buildCli(root);
    expect(readdirSync(buildsOf(root)).filter((name) => name.startsWith('built-'))).toHaveLength(3);
    expect((await says())?.[0]).toBe('one');
  });

  test('is not made where nothing can be written: the command goes on', async () => {
    writeFileSync(path.join(root, 'node_modules'), 'not a folder');
    startBuild(root);
    expect(builtCli(root)).toBeUndefined();
    await expect(buildCli(root)).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});

describe('a program', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), 'perdure-program-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const program = () => path.join(folder, 'program.cjs');

  test('is not compiled again, and runs just so where V8 refuses what was compiled', () => {
    writeFileSync(program(), '(function (require, module) { module.exports = { sum: (a, b) => a + b } })');
    // In processes of their own: V8 remembers what a process has compiled.
    const loader = JSON.stringify(new URL('../../../../cli/built/load-program.mjs', import.meta.url).href);
    const load = () =>
      execFileSync(process.execPath, [
        '--input-type=module',
        '--eval',
        `const { script, exports } = (await import(${loader})).loadProgram(${JSON.stringify(program())});
         console.log(exports.sum(1, 2), script.cachedDataRejected);`,
      ])
        .toString()
        .trim();
    expect(load()).toBe('3 undefined');
    writeFileSync(compiledOf(program()), loadProgram(program()).script.createCachedData());
    expect(load()).toBe('3 false');
    writeFileSync(compiledOf(program()), 'what no V8 has made');
    expect(load()).toBe('3 true');
  });

  test('is made of the command line of this checkout, and no part of it is lost', async () => {
    writeFileSync(program(), (await bundle(process.cwd())).program);
    const { runCli } = loadProgram(program()).exports as { runCli: typeof RunCli };
    let said = '';
    const stream = { write: (text: string) => (said += text) };
    expect(await runCli(['--help'], {}, { stdout: stream, stderr: stream })).toBe(0);
    for (const { commands } of commandGroups) for (const command of commands) expect(said).toContain(`  ${command}`);
  });
});
