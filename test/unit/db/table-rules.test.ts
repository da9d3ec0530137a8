import { expect, it } from 'vitest';
import { tablesWithoutRule } from '../../../db/table-rules.js';

it('every table says what may happen to its rows', () => {
  expect(tablesWithoutRule).toEqual([]);
});
