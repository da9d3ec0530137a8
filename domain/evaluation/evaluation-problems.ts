import type { DefinitionProblem } from '../definition-problem.js';
import { taskOf } from '../tasks/task-of.js';
import { gateProblems, type Gated } from './gate-problems.js';
import { metricKey } from '../metrics/metric.js';
import { isMetricName } from '../metrics/metric-catalogue.js';

/** A number is looked at level by level only where it has few. */
const sliceLevelsMax = 100;
const unsliceable: ReadonlySet<string> = new Set(['timestamp', 'text', 'vector', 'list']);

/**
 * What is wrong with gates, slices and intervals beyond their shape: a gate that cannot fail guards nothing, one that
 * cannot pass lets nothing go on.
 */
export function evaluationProblems(definition: Gated): DefinitionProblem[] {
  const { evaluation, contract } = definition;
  const { gates, slices, bootstrapRounds, confidencePct, parityMax } = evaluation;
  const problems = gates.flatMap((gate, index) => gateProblems(gate, `evaluation.gates[${index}]`, definition));
  problems.push(...thresholdProblems(definition), ...ownMetricProblems(definition));
  if (gates.length === 0 && taskOf(definition).metrics.length > 0)
    problems.push({ path: 'evaluation.gates', message: 'must hold at least one gate' });
  for (const [index, gate] of gates.entries()) {
    const floor = gates.find(
      (other) =>
        metricKey(other) === metricKey(gate) &&
        other.slice === gate.slice &&
        (other.atLeast ?? -Infinity) > (gate.atMost ?? Infinity),
    );
    if (floor)
      problems.push({
        path: `evaluation.gates[${index}].atMost`,
        message:
          `${metricKey(gate)} cannot be at most ${gate.atMost} and at least ${floor.atLeast}, ` +
          `as ${floor.name} asks`,
      });
  }
  for (const [index, name] of slices.entries()) {
    const path = `evaluation.slices[${index}]`;
    if (slices.indexOf(name) !== index) problems.push({ path, message: `${name} is named twice` });
    const feature = contract.features[name];
    if (feature !== undefined && unsliceable.has(feature.type))
      problems.push({
        path,
        message: `${name} is a ${feature.type}: rows are looked at by numbers, integers, booleans and strings`,
      });
    if (feature?.type !== 'number' && feature?.type !== 'integer') continue;
    const range = Number(feature.max ?? Infinity) - Number(feature.min ?? -Infinity);
    if (range >= sliceLevelsMax)
      problems.push({
        path,
        message:
          `${name} is ${feature.type === 'number' ? 'a number' : 'an integer'} with a wide range: each value ` +
          'would be its own slice. Slice by a ' +
          `string derived from it, or narrow its min and max to fewer than ${sliceLevelsMax} whole numbers`,
      });
  }
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
      message: 'two answers hardly ever differ by more: the check could never fail. Set it below 1',
    });
  return problems;
}

/** Where the line between yes and no cannot be drawn, or is asked for where there is none. */
function thresholdProblems({ task, evaluation: { threshold, costs } }: Gated): DefinitionProblem[] {
  const { name, hasThreshold } = taskOf({ task });
  const problems: DefinitionProblem[] = [];
  if (threshold === 0 || threshold === 1)
    problems.push({
      path: 'evaluation.threshold',
      message: `${threshold} makes every row ${threshold === 0 ? 'positive' : 'negative'}: set it between 0 and 1`,
    });
  if (!hasThreshold && threshold !== 0.5)
    problems.push({ path: 'evaluation.threshold', message: `is for the task binary; this one is ${name}` });
  if (!hasThreshold && costs !== undefined)
    problems.push({ path: 'evaluation.costs', message: `is for the task binary; this one is ${name}` });
  if (threshold === 'best-utility' && costs === undefined)
    problems.push({ path: 'evaluation.threshold', message: 'best-utility needs evaluation.costs' });
  return problems;
}

const ownMetricsMax = 20;

/** Own metrics beyond their SQL, which the data engine checks. */
function ownMetricProblems({ task, contract, evaluation: { metrics = {} } }: Gated): DefinitionProblem[] {
  const problems: DefinitionProblem[] = [];
  const names = Object.keys(metrics);
  if (names.length > ownMetricsMax)
    problems.push({
      path: 'evaluation.metrics',
      message: `${names.length} metrics; at most ${ownMetricsMax} are measured`,
    });
  if (names.length > 0 && contract.label === undefined)
    problems.push({
      path: 'evaluation.metrics',
      message: `a model of the task ${task} has no label to measure against`,
    });
  for (const [name, { least, greatest }] of Object.entries(metrics)) {
    const path = `evaluation.metrics.${name}`;
    if (isMetricName(name))
      problems.push({ path, message: `${name} is the name of a metric of the product: give yours another` });
    if (least !== undefined && greatest !== undefined && least >= greatest)
      problems.push({ path: `${path}.least`, message: `must be less than greatest (${greatest})` });
  }
  return problems;
}
