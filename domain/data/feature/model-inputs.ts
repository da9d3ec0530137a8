import type { AcceptedFeature, Feature, Item } from './feature.js';

/** One input of a model's graph, of shape `[rows, width]`. */
export interface ModelInput {
  name: string;
  /** As ONNX says. */
  element: 'float' | 'int64' | 'bool' | 'string';
  width: number;
}

const elements: Record<Item['type'], ModelInput['element']> = {
  number: 'float',
  integer: 'int64',
  boolean: 'bool',
  string: 'string',
  text: 'string',
  timestamp: 'int64',
};

/** BOOL: true where a value is missing that its own type cannot say so of. No feature has a colon in its name. */
export const missingInput = (feature: string): string => `${feature}:missing`;
/** INT64: how many values of a list count; what stands behind them is filled up. */
export const lengthInput = (feature: string): string => `${feature}:length`;

/**
 * What the graph gets for a feature, and what callers may send, under the same names. A missing number is NaN, a
 * missing vector NaN in each place, a missing string or text empty; of all others an input beside it tells.
 */
export function modelInputs(name: string, feature: Feature | AcceptedFeature): ModelInput[] {
  if (feature.type === 'vector') return [{ name, element: 'float', width: feature.length }];
  const scalar = feature.type === 'list' ? feature.of : feature;
  const own: ModelInput = {
    name,
    element: elements[scalar.type],
    width: feature.type === 'list' ? feature.maxLength : 1,
  };
  const length: ModelInput[] = feature.type === 'list' ? [{ name: lengthInput(name), element: 'int64', width: 1 }] : [];
  const isTold = feature.nullable && !saysMissing(feature);
  return [own, ...length, ...(isTold ? [{ name: missingInput(name), element: 'bool', width: 1 } as const] : [])];
}

/** Whether a value of the type itself says that it is missing. */
export const saysMissing = ({ type }: Pick<Feature, 'type'>): boolean =>
  type === 'number' || type === 'string' || type === 'text' || type === 'vector';

const datatypes = { float: 'FP32', int64: 'INT64', bool: 'BOOL', string: 'BYTES' } as const;
export type Datatype = (typeof datatypes)[ModelInput['element']];

export interface RequestTensor {
  datatype: Datatype;
  /** Values a row; of a list at most. */
  width: number;
}

/** The tensor in which callers send a feature, of the Open Inference Protocol. */
export function requestTensor(name: string, feature: Feature): RequestTensor {
  const [own] = modelInputs(name, feature);
  if (own === undefined) throw new RangeError(`${name} has no input`);
  return { datatype: datatypes[own.element], width: own.width };
}
