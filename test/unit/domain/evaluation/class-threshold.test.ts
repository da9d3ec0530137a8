import { expect, it } from 'vitest';
import { classThreshold } from '../../../../domain/evaluation/class-threshold.js';

it.each([
  ['its own, whatever its definition names', 0.31, 0.7, 0.31],
  ['its own, also where that is 0', 0, 0.7, 0],
  ['the number of its definition where it has none', null, 0.7, 0.7],
  ['0.5 where it has none and its definition left the choice to the holdout', null, 'best-f1', 0.5],
  ['0.5 where nothing is known of its definition', null, null, 0.5],
])('the threshold of a version is %s', (_, own, ofDefinition, threshold) => {
  expect(classThreshold(own, ofDefinition)).toBe(threshold);
});
