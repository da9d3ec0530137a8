import { describe, expect, test } from 'vitest';
import { murmurHash, unkeyedDigest } from '../../../../domain/serving/murmur-hash.js';
import type { Split } from '../../../../domain/serving/route.js';
import { chooseVersion, keyPoint } from '../../../../domain/serving/route-choice.js';

const keys = Array.from({ length: 100_000 }, (_, index) => `passenger-${index}`);
const points = keys.map((key) => keyPoint('flight-delay', key));

const all = new Set(keys.keys());
/** Keys, by number, that this version answers. */
const keysOf = (split: Split, version: number) =>
  new Set([...all].filter((index) => chooseVersion(split, points[index] ?? 0) === version));

describe('the key hash', () => {
  // Published test vectors of MurmurHash3_x86_32 (smhasher and the tables built on it).
  test.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('of %j with seed %i is MurmurHash3', (text, seed, expected) => {
    expect(murmurHash(text, seed)).toBe(expected);
  });

  test('gives a digest of 16 hex digits that differs between keys', () => {
    const digests = new Set(keys.slice(0, 10_000).map(unkeyedDigest));
    expect(digests.size).toBe(10_000);
    expect(unkeyedDigest('a')).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('the split', () => {
  test.each([1, 5, 25, 50, 75, 99])(
    'gives a challenger with %i percent that share of keys, within four standard errors',
    (sharePct) => {
      const split = [
        { version: 1, sharePct: 100 - sharePct },
        { version: 2, sharePct },
      ];
      const hits = points.filter((point) => chooseVersion(split, point) === 2).length;
      const share = sharePct / 100;
      expect(Math.abs(hits / keys.length - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / keys.length));
    },
  );

  test.each([
    { champion: 1, challenger: 2 },
    { champion: 7, challenger: 3 },
  ])(
    'never sends a key from challenger $challenger back to champion $champion while its share rises, ' +
      'whichever stands first',
    ({ champion, challenger }) => {
      let before = new Set<number>();
      for (const sharePct of [0, 1, 5, 25, 50, 60, 99, 100]) {
        const shares = [
          { version: champion, sharePct: 100 - sharePct },
          { version: challenger, sharePct },
        ];
        const split = sharePct > 50 ? shares.reverse() : shares;
        const now = keysOf(split, challenger);
        expect([...before].filter((index) => !now.has(index))).toEqual([]);
        before = now;
      }
      expect(before.size).toBe(keys.length);
    },
  );

  test('of three versions never sends a key back to the champion while challengers grow', () => {
    const grow = [
      [90, 5, 5],
      [80, 5, 15],
      [60, 25, 15],
      [20, 25, 55],
    ] as const;
    let champions = all;
    for (const [one, two, three] of grow) {
      const split = [
        { version: 4, sharePct: one },
        { version: 9, sharePct: two },
        { version: 2, sharePct: three },
      ];
      const now = keysOf(split, 4);
      expect([...now].filter((index) => !champions.has(index))).toEqual([]);
      champions = now;
    }
  });

  test('never picks a version without a share, at no point, and leaves no point without a version', () => {
    const split = [
      { version: 1, sharePct: 100 },
      { version: 2, sharePct: 0 },
    ];
    for (const point of [0, 50, 99.999999, 100 - 1e-13]) expect(chooseVersion(split, point)).toBe(1);
    const thirds = [1, 2, 3].map((version) => ({ version, sharePct: 100 / 3 }));
    expect(chooseVersion(thirds, 99.99999999999999)).toBe(1);
  });

  test('places a key differently for another model', () => {
    const same = keys.slice(0, 1000).filter((key) => Math.abs(keyPoint('a', key) - keyPoint('b', key)) < 1).length;
    expect(same).toBeLessThan(60);
  });
});
