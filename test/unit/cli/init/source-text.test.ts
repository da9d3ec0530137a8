import { expect, test } from 'vitest';
import { sourceText } from '../../../../cli/init/source-text.js';

test('a value written as source is that value again, whatever its texts hold', () => {
  const value = {
    name: "it's a \\ \n trap",
    'odd key': [1, null, true, 'x'.repeat(200)],
    nested: { empty: {}, list: Array.from({ length: 40 }, (_, index) => ({ index, text: 'some words' })) },
  };
  // oxlint-disable-next-line no-eval -- the text is what is tested
  const read: unknown = (0, eval)(`(${sourceText(value)})`);
  expect(read).toEqual(value);
  expect(sourceText({ left: undefined, kept: 1 })).toBe('{ kept: 1 }');
});
