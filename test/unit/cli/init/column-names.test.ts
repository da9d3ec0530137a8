import { expect, test } from 'vitest';
import { columnNames } from '../../../../cli/init/column-names.js';
import { columnNameSchema } from '../../../../domain/names.js';

test('whatever a file calls its columns, their names are ones that a contract takes, each once', () => {
  const originals = ['sepal length (cm)', 'sepal_length_cm', 'Größe', '2nd', '', '%', 'label', 'x'.repeat(90), 'Label'];
  const names = columnNames(originals, ['label']);
  for (const name of names) expect(columnNameSchema.parse(name)).toBe(name);
  expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(originals.length);
  expect(names.slice(0, 2)).toEqual(['sepal_length_cm', 'sepal_length_cm_2']);
  expect(names).not.toContain('label');
});
