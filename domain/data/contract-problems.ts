import type { DefinitionProblem } from '../definition-problem.js';
import type { Contract, Feature } from './contract.js';
import { isLongerThan } from '../text/plain-text.js';
import { admittedValue } from './admitted-value.js';
import { readValue, ValueProblem } from './feature/read-value.js';

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
  const { default: value } = feature;
  if (value === undefined) return null;
  if (value === '') return 'an empty string counts as null: set nullable: true instead';
  if (feature.type === 'number') {
    const { min = -Infinity, max = Infinity } = feature;
    if (!Number.isFinite(Math.fround(Number(value)))) return `${String(value)} is not a finite FP32 number`;
    return Number(value) < min || Number(value) > max
      ? `${String(value)} is outside the feature's own range ${min} … ${max}`
      : null;
  }
  if ((feature.type === 'string' || feature.type === 'text') && isLongerThan(String(value), feature.maxLength))
    return `is longer than the feature's own maxLength, ${feature.maxLength} characters`;
  if (feature.type === 'string' && feature.closed && feature.levels?.includes(String(value)) !== true)
    return `is not one of the feature's own levels: ${(feature.levels ?? []).slice(0, 50).join(', ')}`;
  const read = readValue(feature, value);
  return read instanceof ValueProblem ? read.problem : null;
}
