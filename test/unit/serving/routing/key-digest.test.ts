import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { unkeyedDigest } from '../../../../domain/serving/murmur-hash.js';
import { KeyDigests } from '../../../../serving/routing/key-digest.js';

const digests = new KeyDigests('a secret of one installation');

test.each(['customer-7', 'клиент-7', ''])(
  'a key %j is logged as an HMAC that only this installation can make',
  (key) => {
    const digest = digests.of(key);
    expect(digest).toBe(
      createHmac('sha256', 'a secret of one installation').update(Buffer.from(key)).digest('hex').slice(0, 32),
    );
    expect(digests.matches(key, digest)).toBe(true);
    expect(digests.matches('another', digest)).toBe(false);
    expect(new KeyDigests('another secret, of another').matches(key, digest)).toBe(false);
  },
);

test('a row from before digests were keyed is still found by its key', () => {
  expect(digests.matches('customer-7', unkeyedDigest('customer-7'))).toBe(true);
  expect(digests.matches('customer-8', unkeyedDigest('customer-7'))).toBe(false);
  expect(digests.matches('customer-7', '')).toBe(false);
});
