import type { DefinitionProblem } from '../definition-problem.js';
import type { Contract, Feature } from './contract.js';
import { isLongerThan } from '../text/plain-text.js';
import { admittedValue } from './admitted-value.js';

/**
 * What is wrong with defaults and accepted features of a contract. Asked when a definition is applied, never of a
 * stored one.
 */
export function contractProblems({ features, accepts = {}, label }: Contract): DefinitionProblem[] {
  return [
    ...Object.entries(features).flatMap(([name, feature]) => {
      const message = whyDefaultDoesNotFit(feature);
      return [
        ...(message === null ? [] : [{ path: `contract.features.${name}.default`, message }]),
        ...(admittedValue(feature) === undefined
          ? [
              {
                path: `contract.features.${name}`,
                message: 'admits no value at all: widen its range, its levels or its maxLength',
              },
            ]
          : []),
      ];
    }),
    ...Object.keys(accepts).flatMap((name) => {
      const message =
        name in features
          ? 'is still a feature: a name is either a feature or accepted and ignored'
          : name === label?.name
            ? 'is the label'
            : null;
      return message === null ? [] : [{ path: `contract.accepts.${name}`, message }];
    }),
  ];
}

function whyDefaultDoesNotFit(feature: Feature): string | null {
  if (feature.default === undefined) return null;
  if (feature.type === 'number') {
    const { default: value, min = -Infinity, max = Infinity } = feature;
    if (!Number.isFinite(Math.fround(value))) return `${value} is not a finite FP32 number`;
    return value < min || value > max ? `${value} is outside the feature's own range ${min} … ${max}` : null;
  }
  const { default: value, levels = [], closed, maxLength } = feature;
  if (value === '') return 'an empty string counts as null: set nullable: true instead';
  if (isLongerThan(value, maxLength)) return `is longer than the feature's own maxLength, ${maxLength} characters`;
  return closed && !levels.includes(value)
    ? `is not one of the feature's own levels: ${levels.slice(0, 50).join(', ')}`
    : null;
}
