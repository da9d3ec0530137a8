import type { ClassName, MeasureSettings, OutputSignature } from '../tasks/task.js';
import type { EvaluationPolicy } from './evaluation-policy.js';

/** Reported whatever the gates ask. */
const kOfReports = 10;
/** Up to so many classes each is measured by itself; of more, those that gates name. */
const classesMax = 20;

/** What the policy and the version's own shape of answers ask of a measurement. */
export function measureSettings(
  { gates, costs }: Pick<EvaluationPolicy, 'gates' | 'costs'>,
  signature: OutputSignature,
  threshold: number,
): MeasureSettings {
  const ks = gates.flatMap(({ k }) => (k === undefined ? [] : [k]));
  const asked = gates.flatMap(({ class: one }) => (one === undefined ? [] : [String(one)]));
  const isMeasured = (one: ClassName) => signature.classes.length <= classesMax || asked.includes(String(one));
  return {
    signature,
    threshold,
    costs,
    ks: [...new Set([kOfReports, ...ks])].sort((left, right) => left - right),
    classes: signature.classes.filter(isMeasured),
  };
}
