import type { Feature } from './contract.js';
import { isLongerThan, textProblem } from '../text/plain-text.js';

/** A value that the feature admits: null where it may only be missing, undefined where nothing at all is admitted. */
export function admittedValue(feature: Feature): number | string | null | undefined {
  return (
    (feature.type === 'number' ? admittedNumber(feature) : admittedText(feature)) ??
    (feature.nullable ? null : undefined)
  );
}

/** Zero, or what is nearest to it. Models see FP32: a range beyond it holds no number. */
function admittedNumber({ min = -Infinity, max = Infinity }: Extract<Feature, { type: 'number' }>): number | undefined {
  const value = Math.min(Math.max(0, min), max);
  return Number.isFinite(Math.fround(value)) ? value : undefined;
}

function admittedText({ levels = [], closed, maxLength }: Extract<Feature, { type: 'string' }>): string | undefined {
  const level = levels.find((one) => one !== '' && !isLongerThan(one, maxLength) && textProblem(one) === undefined);
  return level ?? (closed ? undefined : 'probe'.slice(0, maxLength));
}
