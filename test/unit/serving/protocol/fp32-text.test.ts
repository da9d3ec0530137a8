import { expect, test } from 'vitest';
import { fp32ArrayText, fp32Text } from '../../../../serving/protocol/fp32-text.js';

test('reads back as exactly the same FP32 number, at the borders of each power of ten and all over [0, 1]', () => {
  const bits = new Uint32Array(1);
  const number = new Float32Array(bits.buffer);
  const border = [0, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.5, 0.25, 1, 2.5, -0.75].map(Math.fround);
  for (const value of border)
    expect(JSON.parse(fp32Text(value))).toSatisfy((read: number) => Math.fround(read) === value);
  // 4,999 bits apart, over every FP32 number from 0 to 1.
  let wrong = 0;
  for (let pattern = 0; pattern <= 0x3f800000; pattern += 4_999) {
    bits[0] = pattern;
    const value = number[0] ?? NaN;
    if (Math.fround(Number(fp32Text(value))) !== value) wrong += 1;
  }
  expect(wrong).toBe(0);
});

test('an array is JSON', () => {
  expect(JSON.parse(fp32ArrayText(Float32Array.of(0.25, 0.75, 0, 1)))).toEqual([0.25, 0.75, 0, 1]);
  expect(fp32ArrayText(new Float32Array(0))).toBe('[]');
});
