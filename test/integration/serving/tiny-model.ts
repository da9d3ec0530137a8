import type { Contract } from '../../../domain/data/contract.js';
import { floatTensor, model, valueInfo, type Graph, type Node } from '../onnx/onnx-builder.js';

/** What is wrong with a tiny model's answer, if anything. */
export type Fault = 'percent' | 'three classes' | { notANumberAbove: number };

/** A request's row: what a caller sends, null for a missing value. */
export type Row = Record<string, number | string | null>;

/** An ONNX file of some hundred bytes for any contract, whose answer can be computed by hand: see `expectedScore`. */
export function tinyModel({ features }: Contract, bias: number, fault?: Fault): Uint8Array {
  const names = Object.keys(features);
  const nodes = names.flatMap((name): Node[] =>
    features[name]?.type === 'number'
      ? [
          { op: 'IsNaN', inputs: [name], outputs: [`${name}:missing`] },
          { op: 'Where', inputs: [`${name}:missing`, 'zero', name], outputs: [`${name}:filled`] },
          { op: 'Mul', inputs: [`${name}:filled`, 'slope'], outputs: [`${name}:term`] },
        ]
      : [
          {
            op: 'LabelEncoder',
            domain: 'ai.onnx.ml',
            inputs: [name],
            outputs: [`${name}:term`],
            attributes: { keys_strings: { strings: ['red', 'blue'] }, values_floats: { floats: [0.5, -0.5] } },
          },
        ],
  );
  const terms = names.map((name) => `${name}:term`);
  if (typeof fault === 'object') {
    nodes.push(
      // The logarithm of a negative number is none; of another it counts for nothing.
      { op: 'Sub', inputs: ['limit', 'amount:filled'], outputs: ['room'] },
      { op: 'Log', inputs: ['room'], outputs: ['trap'] },
      { op: 'Mul', inputs: ['trap', 'zero'], outputs: ['trap:term'] },
    );
    terms.push('trap:term');
  }
  const classes = fault === 'three classes' ? [0, 1, 2] : [0, 1];
  const scores = fault === 'percent' ? 'unscaled' : 'probabilities';
  nodes.push(
    { op: 'Sum', inputs: [...terms, 'bias'], outputs: ['logit'] },
    {
      op: 'LinearClassifier',
      domain: 'ai.onnx.ml',
      inputs: ['logit'],
      outputs: ['label', scores],
      attributes: {
        classlabels_ints: { ints: classes },
        coefficients: { floats: classes.map((each) => (each === 1 ? 1 : -1)) },
        intercepts: { floats: classes.map(() => 0) },
        post_transform: 'LOGISTIC',
      },
    },
  );
  if (fault === 'percent') nodes.push({ op: 'Mul', inputs: [scores, 'hundred'], outputs: ['probabilities'] });
  const constants = {
    zero: 0,
    slope: 0.01,
    bias,
    hundred: 100,
    limit: typeof fault === 'object' ? fault.notANumberAbove : 0,
  };
  const graph: Graph = {
    nodes,
    inputs: names.map((name) => valueInfo(name, features[name]?.type === 'number' ? 1 : 8, [null, 1])),
    outputs: [valueInfo('label', 7, [null]), valueInfo('probabilities', 1, [null, null])],
    initializers: Object.entries(constants).map(([name, value]) => floatTensor(name, [value])),
  };
  return model(graph);
}

/** The probability of `true` for a row as a version with this contract should see it. */
export function expectedScore({ features }: Contract, bias: number, row: Row): number {
  let logit = bias;
  for (const [name, feature] of Object.entries(features)) {
    const value = name in row ? row[name] : (feature.default ?? null);
    if (typeof value === 'number') logit += 0.01 * value;
    else if (value === 'red' || value === 'blue') logit += value === 'red' ? 0.5 : -0.5;
  }
  return 1 / (1 + Math.exp(-logit));
}
