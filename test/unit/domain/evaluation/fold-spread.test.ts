import { expect, test } from 'vitest';
import { foldSpread } from '../../../../domain/evaluation/fold-spread.js';

test('the spread of a metric over folds is its mean, sample deviation, least and greatest, where it is defined', () => {
  const folds = [0.8, 0.9, 0.7, Number.NaN].map((accuracy, index) => ({
    rows: 10 + index,
    metrics: { accuracy, r2: Number.NaN },
  }));
  const { rows, metrics } = foldSpread(folds);
  expect(rows).toEqual([10, 11, 12, 13]);
  // numpy.std([0.8, 0.9, 0.7], ddof=1)
  expect(metrics['accuracy']?.sd).toBeCloseTo(0.1, 12);
  expect(metrics['accuracy']).toMatchObject({ min: 0.7, max: 0.9, folds: 3 });
  expect(metrics['accuracy']?.mean).toBeCloseTo(0.8, 12);
  expect(metrics['r2']).toBeUndefined();
  expect(foldSpread([{ rows: 5, metrics: { mae: 2 } }]).metrics['mae']).toMatchObject({ sd: null, mean: 2 });
});
