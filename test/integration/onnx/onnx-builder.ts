/** Writes small ONNX files field by field (onnx.proto), so that a test can also write what no exporter would. */

export type Bytes = number[] | Uint8Array;

export const varint = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
export const number = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
export const bytes = (field: number, content: Bytes): number[] => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...content,
];
export const text = (field: number, content: string): number[] => bytes(field, [...Buffer.from(content)]);
const float = (field: number, value: number): number[] => [
  ...varint(field * 8 + 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
];

export type AttributeValue =
  | number
  | string
  | { ints: number[] }
  | { floats: number[] }
  | { strings: string[] }
  | { graph: Bytes }
  | { tensor: Bytes };

/** AttributeProto; a plain number is an integer. */
function attribute(name: string, value: AttributeValue): number[] {
  const typed = (type: number, content: number[]) => [...text(1, name), ...content, ...number(20, type)];
  if (typeof value === 'number') return typed(2, number(3, value));
  if (typeof value === 'string') return typed(3, text(4, value));
  if ('ints' in value)
    return typed(
      7,
      value.ints.flatMap((each) => number(8, each)),
    );
  if ('floats' in value)
    return typed(
      6,
      value.floats.flatMap((each) => float(7, each)),
    );
  if ('strings' in value)
    return typed(
      8,
      value.strings.flatMap((each) => text(9, each)),
    );
  if ('tensor' in value) return typed(4, bytes(5, value.tensor));
  return typed(5, bytes(6, value.graph));
}

export interface Node {
  op: string;
  domain?: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, AttributeValue>;
}

export function node({ op, domain = '', inputs, outputs, attributes = {} }: Node): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, value]) => bytes(5, attribute(name, value))),
    ...text(7, domain),
  ];
}

/** ValueInfoProto of a tensor; element type 1 is FP32, 7 INT64, 8 string. A null dimension is any. */
export function valueInfo(name: string, elementType: number, shape: (number | null)[]): number[] {
  const dimensions = shape.flatMap((size) => bytes(1, size === null ? [] : number(1, size)));
  return [...text(1, name), ...bytes(2, bytes(1, [...number(1, elementType), ...bytes(2, dimensions)]))];
}

/** TensorProto of FP32 values. */
export function floatTensor(name: string, values: number[]): number[] {
  return [
    ...number(1, values.length),
    ...number(2, 1),
    ...text(8, name),
    ...bytes(9, new Uint8Array(Float32Array.from(values).buffer)),
  ];
}

/** TensorProto of 64-bit integers. */
export function int64Tensor(name: string, values: bigint[]): number[] {
  return [
    ...number(1, values.length),
    ...number(2, 7),
    ...text(8, name),
    ...bytes(9, new Uint8Array(BigInt64Array.from(values).buffer)),
  ];
}

export interface Graph {
  nodes: Node[];
  inputs: number[][];
  outputs: number[][];
  initializers?: number[][];
}

export function graph({ nodes, inputs, outputs, initializers = [] }: Graph): number[] {
  return [
    ...nodes.flatMap((each) => bytes(1, node(each))),
    ...text(2, 'test'),
    ...initializers.flatMap((each) => bytes(5, each)),
    ...inputs.flatMap((each) => bytes(11, each)),
    ...outputs.flatMap((each) => bytes(12, each)),
  ];
}

export function model(main: Graph, domains: string[] = ['', 'ai.onnx.ml'], extra: Bytes = []): Uint8Array {
  const versions: Record<string, number> = { '': 15, 'ai.onnx.ml': 3 };
  const opsets = domains.flatMap((domain) => bytes(8, [...text(1, domain), ...number(2, versions[domain] ?? 1)]));
  return Uint8Array.from([...number(1, 8), ...opsets, ...bytes(7, graph(main)), ...extra]);
}

/**
 * A logistic model of two features: 1 / (1 + exp(−(intercept + slope·x + effect of the carrier))), a missing x counted
 * as 0, an unknown carrier as 0.
 */
export function logisticGraph({
  slope = 1,
  intercept = 0,
  carriers = { AA: 0.5, UA: -0.5 } as Record<string, number>,
} = {}): Graph {
  return {
    nodes: [
      {
        op: 'LabelEncoder',
        domain: 'ai.onnx.ml',
        inputs: ['carrier'],
        outputs: ['effect'],
        attributes: {
          keys_strings: { strings: Object.keys(carriers) },
          values_floats: { floats: Object.values(carriers) },
        },
      },
      { op: 'IsNaN', inputs: ['x'], outputs: ['missing'] },
      { op: 'Where', inputs: ['missing', 'zero', 'x'], outputs: ['filled'] },
      { op: 'Concat', inputs: ['filled', 'effect'], outputs: ['both'], attributes: { axis: 1 } },
      {
        op: 'LinearClassifier',
        domain: 'ai.onnx.ml',
        inputs: ['both'],
        outputs: ['label', 'probabilities'],
        attributes: {
          classlabels_ints: { ints: [0, 1] },
          coefficients: { floats: [-slope, -1, slope, 1] },
          intercepts: { floats: [-intercept, intercept] },
          post_transform: 'LOGISTIC',
        },
      },
    ],
    inputs: [valueInfo('carrier', 8, [null, 1]), valueInfo('x', 1, [null, 1])],
    outputs: [valueInfo('label', 7, [null]), valueInfo('probabilities', 1, [null, 2])],
    initializers: [floatTensor('zero', [0])],
  };
}
