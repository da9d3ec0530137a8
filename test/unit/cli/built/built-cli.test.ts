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
import { buildCli } from '../../../../cli/built/build.mjs';
import { buildsOf, builtCli, startBuild } from '../../../../cli/built/built-cli.mjs';

describe('the built command line', () => {
  let root: string;
  const part = () => path.join(root, 'cli', 'part.ts');
  const write = (text: string) => writeFileSync(part(), `export const said: string = '${text}';\n`);
  const says = () => {
    const program = builtCli(root);
    return program && execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim().split('\n');
  };

  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'perdure-built-cli-'));
    mkdirSync(path.join(root, 'cli'));
    writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
    write('one');
    writeFileSync(
      path.join(root, 'cli', 'run-cli.ts'),
      `const { said } = await import('./part.js');\nconsole.log(said);\nconsole.log(import.meta.url);\n`,
    );
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test('runs what the sources say, and each finds what lies beside it', async () => {
    expect(builtCli(root)).toBeUndefined();
    await buildCli(root);
    expect(says()).toEqual(['one', `file://${root}/cli/run-cli.ts`]);
  });

  test('is out of use from the edit of a source on, of the same length and with its old time even', async () => {
    await buildCli(root);
    const { atime, mtime } = statSync(part());
    write('two');
    utimesSync(part(), atime, mtime);
    expect(builtCli(root)).toBeUndefined();
    await buildCli(root);
    expect(says()?.[0]).toBe('two');
  });

  test('is out of use when a source, a setting or a file of it is gone, and where it was made elsewhere', async () => {
    await buildCli(root);
    const state = path.join(buildsOf(root), 'current.json');
    const whole = readFileSync(state, 'utf8');
    for (const wrong of [whole.slice(0, -9), '', whole.replaceAll(root, `${root}-moved`)]) {
      writeFileSync(state, wrong);
      expect(builtCli(root)).toBeUndefined();
    }
    writeFileSync(state, whole);
    expect(builtCli(root)).toBeDefined();
    writeFileSync(path.join(root, 'package-lock.json'), '{}');
    expect(builtCli(root)).toBeUndefined();
    rmSync(path.join(root, 'package-lock.json'));

    const folder = path.dirname(builtCli(root) ?? '');
    for (const name of readdirSync(folder).filter((one) => one.startsWith('part'))) rmSync(path.join(folder, name));
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
    expect(says()?.[0]).toBe('one');
    for (let old = 0; old < 30; old += 1) mkdirSync(path.join(buildsOf(root), `built-old${old}`));
    await buildCli(root);
    expect(readdirSync(buildsOf(root)).filter((name) => name.startsWith('built-'))).toHaveLength(20);
    expect(says()?.[0]).toBe('one');
  });

  test('is not made where nothing can be written: the command goes on', async () => {
    writeFileSync(path.join(root, 'node_modules'), 'not a folder');
    startBuild(root);
    expect(builtCli(root)).toBeUndefined();
    await expect(buildCli(root)).rejects.toThrow(/ENOTDIR|EEXIST/);
  });
});
