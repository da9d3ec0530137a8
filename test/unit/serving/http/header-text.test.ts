import { expect, test } from 'vitest';
import { headerText } from '../../../../serving/http/header-text.js';

/** As Node hands a header over. */
const asNode = (text: string, encoding: BufferEncoding = 'utf8') => Buffer.from(text, encoding).toString('latin1');

test.each(['customer-7', 'клиент-7', 'Jürgen', '🍕', ''])('a header that says %j in UTF-8 is read as that', (text) => {
  expect(headerText('x-perdure-key', asNode(text))).toBe(text);
  expect(headerText('x-perdure-key', Buffer.from(text))).toBe(text);
});

test('one in another encoding is refused, with its name', () => {
  expect(() => headerText('x-perdure-key', asNode('Jürgen', 'latin1'))).toThrow(
    'The header x-perdure-key is not UTF-8',
  );
});
