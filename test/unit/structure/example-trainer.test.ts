import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const filesOf = (folder: string): Record<string, string> => {
  const at = path.join(root, folder);
  const names = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(py|in|txt)$/.test(name));
  return Object.fromEntries(names.toSorted().map((name) => [name, readFileSync(path.join(at, name), 'utf8')]));
};

test('the example with a trainer of its own has what `perdure models init --trainer python` writes today', () => {
  const template = filesOf('trainers/template');
  expect(Object.keys(template)).toContain('perdure_trainer/__main__.py');
  expect(filesOf('models/customer-value/trainer')).toEqual(template);
});
