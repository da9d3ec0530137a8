import type { Feature, FeatureOf } from './feature/feature.js';
import type { FeatureValue } from './feature/feature-value.js';
import { int64Max, int64Min } from './feature/int64.js';
import { isLongerThan, textProblem } from '../text/plain-text.js';

/** A value that the feature admits: null where it may only be missing, undefined where nothing at all is admitted. */
export function admittedValue(feature: Feature): FeatureValue | undefined {
  return presentValue(feature) ?? (feature.nullable ? null : undefined);
}

function presentValue(feature: Feature): FeatureValue | undefined {
  switch (feature.type) {
    case 'number':
      return admittedNumber(feature);
    case 'integer':
      return admittedInteger(feature);
    case 'boolean':
      return false;
    case 'timestamp':
      return 0n;
    case 'vector':
      return new Array<number>(feature.length).fill(0);
    case 'list':
      return [];
    case 'text':
      return 'probe'.slice(0, feature.maxLength);
    case 'string':
      return admittedText(feature);
  }
}

/** Zero, or what is nearest to it. Models see FP32: a range beyond it holds no number. */
function admittedNumber({ min = -Infinity, max = Infinity }: FeatureOf<'number'>): number | undefined {
  const value = Math.min(Math.max(0, min), max);
  return Number.isFinite(Math.fround(value)) ? value : undefined;
}

function admittedInteger({ min, max }: FeatureOf<'integer'>): bigint {
  const [least, most] = [BigInt(min ?? int64Min), BigInt(max ?? int64Max)] as const;
  return least > 0n ? least : most < 0n ? most : 0n;
}

function admittedText({ levels = [], closed, maxLength }: FeatureOf<'string'>): string | undefined {
  const level = levels.find((one) => one !== '' && !isLongerThan(one, maxLength) && textProblem(one) === undefined);
  return level ?? (closed ? undefined : 'probe'.slice(0, maxLength));
}
