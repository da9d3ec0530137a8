import type { Contract } from '../data/contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { smallerIsBetter } from './evaluation.js';
import type { EvaluationPolicy, GateRule } from './evaluation-policy.js';

/** Of the log loss there is no greatest value. */
const greatestOf = (metric: GateRule['metric']): number => (metric === 'logLoss' ? Infinity : 1);
/** A number is looked at level by level only where it has few. */
const sliceLevelsMax = 100;

/**
 * What is wrong with gates, slices and intervals beyond their shape: a gate that cannot fail guards nothing, one that
 * cannot pass lets nothing go on.
 */
export function evaluationProblems(policy: EvaluationPolicy, { features }: Contract): DefinitionProblem[] {
  const { gates, slices, threshold, bootstrapRounds, confidencePct, parityMax } = policy;
  const problems = gates.flatMap((gate, index) => gateProblems(gate, `evaluation.gates[${index}]`));
  for (const [index, gate] of gates.entries()) {
    const floor = gates.find(
      (other) =>
        other.metric === gate.metric && other.slice === gate.slice && (other.atLeast ?? -1) > (gate.atMost ?? Infinity),
    );
    if (floor)
      problems.push({
        path: `evaluation.gates[${index}].atMost`,
        message: `${gate.metric} cannot be at most ${gate.atMost} and at least ${floor.atLeast}, as ${floor.name} asks`,
      });
  }
  for (const [index, name] of slices.entries()) {
    const path = `evaluation.slices[${index}]`;
    if (slices.indexOf(name) !== index) problems.push({ path, message: `${name} is named twice` });
    const feature = features[name];
    if (feature?.type !== 'number') continue;
    const range = (feature.max ?? Infinity) - (feature.min ?? -Infinity);
    if (range >= sliceLevelsMax)
      problems.push({
        path,
        message:
          `${name} is a number with a wide range: each value would be its own slice. Slice by a ` +
          `string derived from it, or narrow its min and max to fewer than ${sliceLevelsMax} whole numbers`,
      });
  }
  if (threshold === 0 || threshold === 1)
    problems.push({
      path: 'evaluation.threshold',
      message: `${threshold} makes every row ${threshold === 0 ? 'positive' : 'negative'}: set it between 0 and 1`,
    });
  const tailRounds = (bootstrapRounds * (100 - confidencePct)) / 200;
  if (tailRounds < 1)
    problems.push({
      path: 'evaluation.bootstrapRounds',
      message:
        `${bootstrapRounds} resamples are too few for a ${confidencePct} % interval: set at least ` +
        `${Math.ceil(Number((200 / (100 - confidencePct)).toFixed(6)))}`,
    });
  if (parityMax >= 1)
    problems.push({
      path: 'evaluation.parityMax',
      message: 'two probabilities never differ by more than 1: the check could never fail',
    });
  return problems;
}

function gateProblems(
  { metric, atLeast, atMost, worseThanChampionByAtMost }: GateRule,
  path: string,
): DefinitionProblem[] {
  const greatest = greatestOf(metric);
  const range = greatest === Infinity ? '0 or more' : '0 to 1';
  const never = (bound: string, value: number, why: string) => ({
    path: `${path}.${bound}`,
    message: `${metric} is ${range}: ${bound} ${value} ${why}`,
  });
  const better = smallerIsBetter.has(metric) ? 'atMost' : 'atLeast';
  if (atLeast !== undefined) {
    if (atLeast <= 0) return [never('atLeast', atLeast, 'could never fail')];
    if (atLeast > greatest) return [never('atLeast', atLeast, 'could never pass')];
    if (atLeast === greatest) return [never('atLeast', atLeast, 'passes only with no mistake at all')];
    if (better !== 'atLeast' && atLeast > 0)
      return [{ path: `${path}.atLeast`, message: `a smaller ${metric} is better: bound it by atMost` }];
  }
  if (atMost !== undefined) {
    if (atMost >= greatest) return [never('atMost', atMost, 'could never fail')];
    if (atMost < 0) return [never('atMost', atMost, 'could never pass')];
    if (atMost === 0)
      return [
        never('atMost', atMost, better === 'atMost' ? 'passes only with no mistake at all' : 'could hardly pass'),
      ];
  }
  if (worseThanChampionByAtMost !== undefined && worseThanChampionByAtMost >= greatest)
    return [never('worseThanChampionByAtMost', worseThanChampionByAtMost, 'could never fail')];
  return [];
}
