import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { anchorsOf, documents, projectRoot } from './documents.js';

test.each(documents)('every link of $file leads to a file, and to a heading where it names one', ({ file, text }) => {
  const prose = text.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target));
  const broken = targets.filter((target) => {
    const [relative = '', anchor] = target.split('#', 2);
    const found =
      relative === '' ? path.join(projectRoot, file) : path.resolve(projectRoot, path.dirname(file), relative);
    if (!existsSync(found)) return true;
    return anchor !== undefined && !anchorsOf(readFileSync(found, 'utf8')).has(anchor);
  });
  expect(broken).toEqual([]);
});

test('every page of docs/ is named in the README, or in the index of decisions', () => {
  const index = documents
    .filter(({ file }) => file === 'README.md' || file === 'docs/decisions/README.md')
    .map(({ text }) => text)
    .join('\n');
  const pages = documents
    .map(({ file }) => file)
    .filter((file) => file.startsWith('docs/') && !file.endsWith('README.md'));
  expect(pages.filter((page) => !index.includes(path.basename(page)))).toEqual([]);
});

test('a link to a heading that does not exist would be found', () => {
  expect(anchorsOf('# Your own servers\n\n## `data put` replaces\n')).toEqual(
    new Set(['your-own-servers', 'data-put-replaces']),
  );
});
