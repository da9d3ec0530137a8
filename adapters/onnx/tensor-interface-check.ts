import type { Contract } from '../../domain/data/contract.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelInfo, TensorInfo } from './model-check.js';

/** The ONNX element type of a feature. */
export function elementTypeOf(feature: Contract['features'][string]): 'float' | 'string' {
  return feature.type === 'number' ? 'float' : 'string';
}

/**
 * Compares what a model takes and gives with its contract: one input a feature, `[-1, 1]`, FP32 for numbers and text
 * for strings; outputs `label` and `probabilities` (FP32, one column a class, the last the positive one).
 * @returns what does not fit, in words; empty when all does
 */
export function tensorInterfaceProblems(info: ModelInfo, contract: Contract): string[] {
  const problems = inputProblems(info, contract);
  for (const name of Object.keys(contract.features)) {
    if (!info.inputs.some((input) => input.name === name)) problems.push(`input ${name} is missing`);
  }
  return problems;
}

/**
 * As `tensorInterfaceProblems`, for a model made for an older contract: it may lack inputs, but can be asked only when
 * every input that it has is a feature of today.
 */
export function olderTensorInterfaceProblems(info: ModelInfo, contract: Contract): string[] {
  return inputProblems(info, contract);
}

/** @throws PerdureError `artifact/refused` that lists everything that does not fit */
export function checkTensorInterface(info: ModelInfo, contract: Contract): void {
  const problems = tensorInterfaceProblems(info, contract);
  if (problems.length === 0) return;
  throw new PerdureError(
    'artifact/refused',
    `The model does not match its contract: ${problems.join('; ')}. Retrain it with this contract.`,
    { problems },
  );
}

function inputProblems(info: ModelInfo, contract: Contract): string[] {
  const problems: string[] = [];
  for (const input of info.inputs) {
    const feature = Object.hasOwn(contract.features, input.name) ? contract.features[input.name] : undefined;
    if (!feature) {
      problems.push(`input ${input.name} is not a feature of the contract`);
      continue;
    }
    const wanted = elementTypeOf(feature);
    if (input.elementType !== wanted)
      problems.push(`input ${input.name} takes ${input.elementType}, the contract says ${wanted}`);
    if (!anyRows(input) || input.shape[1] !== 1)
      problems.push(`input ${input.name} has the shape ${shapeText(input)} instead of [-1, 1]`);
  }
  const label = info.outputs.find((output) => output.name === 'label');
  if (!label) problems.push('output label is missing');
  else if (label.elementType !== 'int64' && label.elementType !== 'string')
    problems.push(`output label is ${label.elementType}, neither int64 nor string`);
  const probabilities = info.outputs.find((output) => output.name === 'probabilities');
  if (!probabilities) problems.push('output probabilities is missing');
  else {
    if (probabilities.elementType !== 'float')
      problems.push(`output probabilities is ${probabilities.elementType}, not float`);
    const classes = probabilities.shape[1];
    const sound = anyRows(probabilities) && (typeof classes !== 'number' || classes === 2);
    if (probabilities.shape.length > 0 && !sound)
      problems.push(`output probabilities has the shape ${shapeText(probabilities)} instead of [-1, 2]`);
  }
  return problems;
}

function anyRows({ shape }: TensorInfo): boolean {
  return shape.length === 2 && typeof shape[0] !== 'number';
}

function shapeText({ shape }: TensorInfo): string {
  return `[${shape.map((size) => (typeof size === 'number' ? size : -1)).join(', ')}]`;
}
