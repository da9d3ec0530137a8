import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { tableRules } from '../../../db/table-rules.js';

const page = readFileSync('docs/operations.md', 'utf8');
const [, section = ''] = page.split('### What ends what\n');
const rows = (section.split('\n### ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
const named = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));

it('what ends each table, or that nothing does, is told to whoever operates them', () => {
  for (const { table } of tableRules)
    expect(
      named.filter((name) => name === table),
      table,
    ).toHaveLength(1);
});

it('what ends each prefix of the bucket too', () => {
  const keys = readFileSync('domain/object-keys.ts', 'utf8');
  const prefixes = new Set([...keys.matchAll(/[`']([a-z]+)\//g)].map(([, prefix]) => `${prefix}/`));
  expect(prefixes.size).toBeGreaterThanOrEqual(8);
  for (const prefix of prefixes) expect(named, prefix).toContain(prefix);
});
