import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../../../bench/load/latency-histogram.js';
import { ratioSpread, spreadOf } from '../../../../bench/figures/statistics.js';

test('a spread is the least, the middle and the greatest, whatever the order', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ min: 1, median: 2, max: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ min: 1, median: 2.5, max: 4 });
  expect(spreadOf([7])).toEqual({ min: 7, median: 7, max: 7 });
  expect(() => spreadOf([])).toThrow(RangeError);
});

test('ratios are taken within each pair, so that a slow minute falls out of them', () => {
  expect(ratioSpread([10, 100, 30], [10, 50, 10])).toEqual({ min: 1, median: 2, max: 3 });
  expect(() => ratioSpread([1], [1, 2])).toThrow(RangeError);
});

test('a percentile is the least latency that this share of the requests did not exceed, to one bin of 10 µs', () => {
  const histogram = new LatencyHistogram();
  for (let value = 1; value <= 1000; value += 1) histogram.add(value / 10 - 0.005);
  expect(histogram.percentileMs(0.5)).toBeCloseTo(50, 6);
  expect(histogram.percentileMs(0.99)).toBeCloseTo(99, 6);
  expect(histogram.percentileMs(1)).toBeCloseTo(100, 6);
  expect(histogram.percentileMs(0)).toBeCloseTo(0.1, 6);
});

test('latencies beyond the last bin count as the last bin, and no request gives no number', () => {
  const histogram = new LatencyHistogram();
  expect(histogram.percentileMs(0.99)).toBeNaN();
  histogram.add(60_000);
  expect(histogram.percentileMs(0.5)).toBe(4_000);
});
