import { contractSchema } from '../../../domain/data/contract.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import type { TaskName } from '../../../domain/tasks/task.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { floatTensor, model, valueInfo, type Node } from '../onnx/onnx-builder.js';

/** A model of one number `x` for each task, whose answers can be computed by hand. */
export interface TaskModel {
  definition: ModelDefinition;
  bytes: Uint8Array;
  /** The outputs for a row, by name, rounded to FP32 where they are numbers. */
  expected: (x: number) => Record<string, number | string | number[]>;
}

const f32 = (...values: number[]): number[] => Array.from(Float32Array.from(values));

/** `flight-delay` with another task, contract and name. */
export function definitionOf(task: TaskName, name: string, contract: object): ModelDefinition {
  return {
    ...flightDelay,
    name,
    task,
    contract: contractSchema.parse({
      ...{ entity: ['id'], eventTime: 'at', features: { x: { type: 'number' } } },
      ...contract,
    }),
  };
}

function graphOf(nodes: Node[], outputs: number[][], constants: Record<string, number[]>): Uint8Array {
  return model({
    nodes,
    inputs: [valueInfo('x', 1, [null, 1])],
    outputs,
    initializers: Object.entries(constants).map(([name, values]) => floatTensor(name, values)),
  });
}

const line: Node[] = [
  { op: 'Mul', inputs: ['x', 'slope'], outputs: ['scaled'] },
  { op: 'Add', inputs: ['scaled', 'intercept'], outputs: ['value'] },
];

/** `value` is 2x + 1, and its quantiles 0.1, 0.5 and 0.9 are 3 below, at and 4 above it. */
export const regression: TaskModel = {
  definition: definitionOf('regression', 'price', {
    label: { name: 'y', type: 'number', min: -1000, max: 1000 },
    output: { quantiles: [0.1, 0.5, 0.9] },
  }),
  bytes: graphOf(
    [...line, { op: 'Add', inputs: ['value', 'offsets'], outputs: ['quantiles'] }],
    [valueInfo('value', 1, [null, 1]), valueInfo('quantiles', 1, [null, 3])],
    { slope: [2], intercept: [1], offsets: [-3, 0, 4] },
  ),
  expected: (x) => {
    const [value = NaN] = f32(2 * x + 1);
    return { value, quantiles: f32(value - 3, value, value + 4) };
  },
};

const slopes = [-1, 0.5, 1];
const softmax = (x: number): number[] => {
  const powers = slopes.map((slope) => Math.exp(slope * x));
  return powers.map((power) => power / powers.reduce((sum, one) => sum + one, 0));
};
const classifier = graphOf(
  [
    { op: 'Mul', inputs: ['x', 'slopes'], outputs: ['logits'] },
    { op: 'Softmax', inputs: ['logits'], outputs: ['probabilities'], attributes: { axis: 1 } },
    { op: 'ArgMax', inputs: ['logits'], outputs: ['label'], attributes: { axis: 1, keepdims: 0 } },
  ],
  [valueInfo('label', 7, [null]), valueInfo('probabilities', 1, [null, 3])],
  { slopes },
);

/** The chances are the softmax of −x, x/2 and x. */
export const multiclass: TaskModel = {
  definition: definitionOf('multiclass', 'colour', {
    label: { name: 'y', type: 'string', classes: ['red', 'grün', 'blue'] },
  }),
  bytes: classifier,
  expected: (x) => {
    const chances = softmax(x);
    return { label: ['red', 'grün', 'blue'][chances.indexOf(Math.max(...chances))] ?? '', probabilities: chances };
  },
};

/** The same with classes that are numbers, which the contract does not list: the version says them. */
export const grades: TaskModel & { classes: number[] } = {
  definition: definitionOf('multiclass', 'grade', { label: { name: 'y', type: 'integer' } }),
  bytes: classifier,
  classes: [-7, 3, 9_007_199_254_740_991],
  expected: (x) => {
    const chances = softmax(x);
    return { label: grades.classes[chances.indexOf(Math.max(...chances))] ?? NaN, probabilities: chances };
  },
};

export const ranking: TaskModel = {
  definition: definitionOf('ranking', 'films', {
    ...{ entity: ['id', 'person'], group: 'person', label: { name: 'y', type: 'integer' } },
  }),
  bytes: graphOf(
    [
      { op: 'Mul', inputs: ['x', 'slope'], outputs: ['scaled'] },
      { op: 'Add', inputs: ['scaled', 'intercept'], outputs: ['score'] },
    ],
    [valueInfo('score', 1, [null, 1])],
    { slope: [-0.5], intercept: [3] },
  ),
  expected: (x) => ({ score: f32(3 - 0.5 * x)[0] ?? NaN }),
};

/** x times 0, 1, 2 … */
export const embeddingOf = (length: number): TaskModel => ({
  definition: definitionOf('embedding', `vector-${length}`, { output: { length } }),
  bytes: graphOf(
    [{ op: 'Mul', inputs: ['x', 'directions'], outputs: ['embedding'] }],
    [valueInfo('embedding', 1, [null, length])],
    { directions: Array.from({ length }, (_, at) => at) },
  ),
  expected: (x) => ({ embedding: f32(...Array.from({ length }, (_, at) => x * at)) }),
});
