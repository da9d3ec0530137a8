import { expect, test } from 'vitest';
import { importThreshold } from '../../../domain/imported-model.js';

test('whoever brings a model does not replace the threshold that its definition names', () => {
  expect(importThreshold(0.3, undefined)).toBe(0.3);
  expect(importThreshold(0.3, 0.3)).toBe(0.3);
  expect(() => importThreshold(0.3, 0.9)).toThrow(/^threshold: the definition says 0\.3, not 0\.9/);
});

test('a definition that has its threshold chosen takes the one that is brought, and an even chance without', () => {
  expect(importThreshold('best-f1', 0.2)).toBe(0.2);
  expect(importThreshold('best-utility', undefined)).toBe(0.5);
});
