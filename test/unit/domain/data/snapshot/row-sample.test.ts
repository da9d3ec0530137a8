import { expect, test } from 'vitest';
import { describeSample, whyStaysOut } from '../../../../../domain/data/snapshot/row-sample.js';

const order = { environment: 'qa', rows: 500, seed: 3 };

test('a version of all of production’s data enters any environment, one of a sample only its own', () => {
  for (const environment of ['development', 'qa', 'production']) expect(whyStaysOut(null, environment)).toBeNull();
  expect(whyStaysOut(order, 'qa')).toBeNull();
  for (const environment of ['development', 'production'])
    expect(whyStaysOut(order, environment)).toBe(
      "it was trained on a sample of at most 500 rows, and only versions of all of production's data leave qa: train " +
        'without --env qa',
    );
});

test('a sample says how many of how many rows it holds', () => {
  expect(describeSample({ ...order, of: 9000 })).toBe('a sample of 500 of 9000 rows (seed 3), as qa takes it');
  expect(describeSample({ ...order, of: 20 })).toBe('a sample of 20 of 20 rows (seed 3), as qa takes it');
});
