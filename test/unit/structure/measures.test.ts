import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { groupBy } from '../../../domain/group-by.js';
import { projectRoot } from '../docs/documents.js';

const filesMax = 25;
/** These grow by one file with each decision, migration or recorded scenario, and are read through their index. */
const mayGrow = ['docs/decisions', 'db/migrations', 'db/migrations/meta', 'test/replay/histories'];

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: projectRoot, encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(projectRoot, file)));
const sources = files.filter((file) => /\.m?ts$/.test(file) && !file.includes('/generated/'));

const linesOf = (file: string): string[] => readFileSync(path.join(projectRoot, file), 'utf8').split('\n');

it('a folder holds what can be seen at a glance', () => {
  const folders = groupBy(files, (file) => path.posix.dirname(file));
  const crowded = [...folders].filter(([folder, held]) => held.length > filesMax && !mayGrow.includes(folder));
  expect(files.length).toBeGreaterThan(500);
  expect(
    crowded.map(([folder, held]) => `${folder}: ${held.length} files`),
    'make a folder for what belongs together, and the same under test/unit',
  ).toEqual([]);
});

it('what an error says is read by one function', () => {
  const own = sources.filter(
    (file) =>
      file !== 'domain/errors.ts' &&
      /instanceof Error\s*\?\s*\w+\.message\b[^;]*: String\(/.test(linesOf(file).join('\n')),
  );
  expect(
    own.filter((file) => !file.startsWith('examples/')),
    'use messageOf of domain/errors.ts',
  ).toEqual([]);
});

it('a line is no longer than 120 characters, names of tests and regular expressions apart', () => {
  const long = files
    .filter((file) => /\.(m?ts|mjs)$/.test(file) && !file.includes('/generated/'))
    .flatMap((file) => linesOf(file).map((line, index) => ({ line, place: `${file}:${index + 1}` })))
    .filter(({ line }) => line.length > 120 && !/^\s*(?:(?:it|test|describe)\b.*\(|\/.*\/[a-z]*[,;]?$)/.test(line));
  expect(
    long.map(({ place }) => place),
    'wrap SQL within its text, and messages and comments at a word',
  ).toEqual([]);
});
