import { describe, expect, it } from 'vitest';
import { aucClassesMax, multiclassMeasurer } from '../../../../domain/metrics/multiclass-measurer.js';
import { near, oracle, rowsOf } from './oracle-problems.js';

const named = (classes: number) => new Map(Array.from({ length: classes }, (_, place) => [place, String(place)]));
const close = (value: number): unknown => expect.closeTo(value, 9);

describe('multiclassMeasurer', () => {
  it.each(['multiclass', 'absentClass'] as const)(
    'agrees with scikit-learn on %s, for all rows and for a resample of them',
    (problem) => {
      const rows = rowsOf(oracle[problem]);
      const measurer = multiclassMeasurer(rows, named(rows.width));
      expect(measurer.measure()).toEqual(near(oracle[problem].expected, close));
      expect(measurer.measure(Uint16Array.from(oracle[problem].weights))).toEqual(
        near(oracle[problem].weighted, close),
      );
    },
  );

  it('defines no area and no F1 of a class that no row has, and no area at all of one class', () => {
    const one = { labels: Float64Array.of(0, 0), scores: Float64Array.of(0.9, 0.1, 0.4, 0.6), width: 2 };
    expect(multiclassMeasurer(one, named(2)).measure()).toMatchObject({
      ...{ accuracy: 0.5, balancedAccuracy: 0.5, rocAuc: NaN },
      ...{ 'rocAuc:0': NaN, 'rocAuc:1': NaN, 'f1:0': 2 / 3, 'f1:1': NaN, macroF1: 1 / 3 },
    });
  });

  it('takes the first of equally likely classes, and clips chances of 0 and 1', () => {
    const rows = { labels: Float64Array.of(1, 0), scores: Float64Array.of(0.5, 0.5, 0, 1), width: 2 };
    expect(multiclassMeasurer(rows, new Map()).measure()).toMatchObject({
      accuracy: 0,
      logLoss: expect.closeTo((Math.LN2 + 23 * Math.LN2) / 2, 6),
    });
  });

  it('leaves areas out where there are too many classes to rank', () => {
    const width = aucClassesMax + 1;
    const rows = { labels: Float64Array.of(0, 1), scores: new Float64Array(2 * width).fill(1 / width), width };
    const measured = multiclassMeasurer(rows, named(1)).measure();
    expect(measured).toMatchObject({ rocAuc: NaN, accuracy: 0.5 });
    expect(measured).not.toHaveProperty('rocAuc:0');
  });
});
