/** A source of pseudo-random numbers that gives the same sequence for the same seed, on every machine. */
export interface Random {
  /** The next whole number from 0 to 2^32 − 1. */
  uint32(): number;
  /**
   * A whole number from 0 to `n` − 1. The bias of at most n / 2^32 does not matter for the sizes used here (below
   * 10^7).
   */
  below(n: number): number;
}

/**
 * Small Fast Counting generator (sfc32, Chris Doty-Humphrey's PractRand), started at (seed, 0, 0, counter 1), the first
 * 15 numbers thrown away. Not for secrets.
 */
export function seededRandom(seed: number): Random {
  let a = seed | 0;
  let b = 0;
  let c = 0;
  let counter = 1;
  const uint32 = (): number => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + result) | 0;
    return result >>> 0;
  };
  for (let thrownAway = 0; thrownAway < 15; thrownAway++) uint32();
  return { uint32, below: (n) => Math.floor((uint32() / 4_294_967_296) * n) };
}

/**
 * A seed taken from the first eight hex digits of a digest, so that the same data is always resampled in the same way.
 */
export function seedOfDigest(sha256: string): number {
  return Number.parseInt(sha256.slice(0, 8), 16);
}
