import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { documentText, projectRoot } from './documents.js';

const layers = new Set(
  readdirSync(projectRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .filter((name) => name !== 'node_modules'),
);

/** Files and folders of the checkout that a page names in code; not those that stand for any, as `domain/WORD`. */
const namedFiles = (text: string): string[] =>
  [...text.matchAll(/`([\w-]+\/[\w./-]+)`/g)]
    .map((match) => match[1] ?? '')
    .filter((file) => layers.has(file.split('/')[0] ?? '') && !/[A-Z]{3}/.test(file));

const absent = (text: string): string[] => namedFiles(text).filter((file) => !existsSync(path.join(projectRoot, file)));

test.each(['CONTRIBUTING.md', 'docs/glossary.md', 'docs/architecture.md', 'docs/decisions/0038-same-words.md'])(
  'every file that %s names is there',
  (page) => {
    expect(absent(documentText(page))).toEqual([]);
  },
);

test('a file that is not there would be found', () => {
  expect(absent('see `domain/rollout/judge` and `domain/rollout/jury.ts`')).toEqual(['domain/rollout/jury.ts']);
  expect(namedFiles(documentText('docs/glossary.md')).length).toBeGreaterThan(40);
});

test('the glossary gives each word one meaning', () => {
  const rows = documentText('docs/glossary.md').split('## Names that stay')[0]?.split('\n') ?? [];
  const words = rows.flatMap((row) => /^\| ([a-z][\w ,’'-]*) \|/.exec(row)?.[1]?.split(', ') ?? []);
  const terms = words.filter((word) => word !== 'word');
  expect(terms.length).toBeGreaterThan(40);
  expect(terms.filter((word, at) => terms.indexOf(word) !== at)).toEqual([]);
});
