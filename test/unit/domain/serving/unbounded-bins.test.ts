import { expect, test } from 'vitest';
import { unboundedBin, unboundedBins, unboundedValue } from '../../../../domain/serving/unbounded-bins.js';
import { binsOf, scoreBin } from '../../../../domain/serving/serving-window.js';

const magnitudes = [1e-6, 1.5e-6, 0.001, 0.75, 1, 3.14159, 42, 999.5, 1e6, 5.8e11];

test('the number that stands for a bin is within 2 % of every number in it, from 1e-6 to 6e11 on both sides', () => {
  for (const size of magnitudes)
    for (let step = 1; step < 1.2; step += 0.003)
      for (const value of [size * step, -size * step]) {
        const told = unboundedValue(unboundedBin(value));
        if (Math.abs(value) < 6e11) expect(Math.abs(told - value)).toBeLessThanOrEqual(0.02 * Math.abs(value) + 1e-18);
      }
});

test('a greater number is never in a lower bin, and 0 is in the middle', () => {
  const rising = [
    -Infinity,
    -1e20,
    ...magnitudes.map((one) => -one).reverse(),
    -1e-9,
    0,
    1e-9,
    ...magnitudes,
    Infinity,
  ];
  const bins = rising.map(unboundedBin);
  expect(bins).toEqual(bins.toSorted((left, right) => left - right));
  expect([bins[0], bins.at(-1)]).toEqual([0, unboundedBins - 1]);
  expect([unboundedBin(0), unboundedBin(-0), unboundedBin(1e-9)]).toEqual(new Array(3).fill((unboundedBins - 1) / 2));
  expect(unboundedValue(unboundedBin(0))).toBe(0);
});

test('what is no number falls in no bin', () => {
  expect(unboundedBin(NaN)).toBeLessThan(0);
  expect(scoreBin('unit', NaN) >= 0).toBe(false);
});

test('each number falls in one of the bins that its kind has', () => {
  for (const value of [-1e30, -1, 0, 0.5, 1, 1e30])
    for (const kind of ['unit', 'unbounded'] as const) {
      expect(scoreBin(kind, value)).toBeGreaterThanOrEqual(0);
      expect(scoreBin(kind, value)).toBeLessThan(binsOf(kind));
    }
});
