import type { Contract } from '../../domain/data/contract.js';
import { modelInputs, type ModelInput } from '../../domain/data/feature/model-inputs.js';
import { PerdureError } from '../../domain/errors.js';
import { outputSignature, taskOf } from '../../domain/tasks/task-of.js';
import type { ClassName, TaskName } from '../../domain/tasks/task.js';
import type { ModelInfo, TensorInfo } from './model-check.js';

/** What a model is held against. */
export interface PromisedInterface {
  contract: Contract;
  /** `binary` when absent. */
  task?: TaskName | undefined;
  /** Those that the version was trained on, where the contract lists none. */
  classes?: readonly ClassName[] | undefined;
}

/**
 * Compares what a model takes and gives with its contract: the inputs that its features have (`modelInputs`); the
 * outputs that its task asks of a graph, FP32, and a `label` where the task has one.
 * @returns what does not fit, in words; empty when all does
 */
export function tensorInterfaceProblems(info: ModelInfo, promised: PromisedInterface): string[] {
  const problems = olderTensorInterfaceProblems(info, promised);
  for (const { name } of wantedInputs(promised.contract)) {
    if (!info.inputs.some((input) => input.name === name)) problems.push(`input ${name} is missing`);
  }
  return problems;
}

/**
 * As `tensorInterfaceProblems`, for a model made for an older contract: it may lack inputs, but can be asked only when
 * every input that it has is a feature of today.
 */
export function olderTensorInterfaceProblems(info: ModelInfo, promised: PromisedInterface): string[] {
  return [...inputProblems(info, promised.contract), ...outputProblems(info, promised)];
}

/** @throws PerdureError `artifact/refused` that lists everything that does not fit */
export function checkTensorInterface(
  info: ModelInfo,
  promised: PromisedInterface,
  what = 'The model does not match its contract',
): void {
  const problems = tensorInterfaceProblems(info, promised);
  if (problems.length === 0) return;
  throw new PerdureError('artifact/refused', `${what}: ${problems.join('; ')}. Make it with this contract.`, {
    problems,
  });
}

const wantedInputs = ({ features }: Contract): ModelInput[] =>
  Object.entries(features).flatMap(([name, feature]) => modelInputs(name, feature));

function inputProblems(info: ModelInfo, contract: Contract): string[] {
  const problems: string[] = [];
  const wanted = new Map(wantedInputs(contract).map((input) => [input.name, input]));
  for (const input of info.inputs) {
    const one = wanted.get(input.name);
    if (!one) {
      problems.push(`input ${input.name} is not a feature of the contract`);
      continue;
    }
    if (input.elementType !== one.element)
      problems.push(`input ${input.name} takes ${input.elementType}, the contract says ${one.element}`);
    if (!anyRows(input) || input.shape[1] !== one.width)
      problems.push(`input ${input.name} has the shape ${shapeText(input)} instead of [-1, ${one.width}]`);
  }
  return problems;
}

function outputProblems(info: ModelInfo, { contract, task: name, classes }: PromisedInterface): string[] {
  const problems: string[] = [];
  const task = taskOf({ task: name });
  const signature = outputSignature(contract, classes);
  const found = info.outputs.map((output) => `${output.name} ${shapeText(output)}`).join(', ') || 'none';
  const outputOf = (wanted: string) => info.outputs.find((output) => output.name === wanted);
  if (task.outputs(signature).some((output) => output.name === 'label')) {
    const label = outputOf('label');
    if (!label) problems.push(`output label is missing (the model gives ${found})`);
    else if (label.elementType !== 'int64' && label.elementType !== 'string')
      problems.push(`output label is ${label.elementType}, neither int64 nor string`);
  }
  for (const { name: wanted, width } of task.graphOutputs(signature)) {
    if (width === 0) problems.push(`how wide output ${wanted} is nobody says: its version names no classes`);
    const output = outputOf(wanted);
    if (!output) problems.push(`output ${wanted} is missing (the model gives ${found})`);
    else {
      if (output.elementType !== 'float') problems.push(`output ${wanted} is ${output.elementType}, not float`);
      const columns = output.shape[1];
      const sound = anyRows(output) && (typeof columns !== 'number' || columns === width);
      if (output.shape.length > 0 && !sound)
        problems.push(`output ${wanted} has the shape ${shapeText(output)} instead of [-1, ${width}]`);
    }
  }
  return problems;
}

function anyRows({ shape }: TensorInfo): boolean {
  return shape.length === 2 && typeof shape[0] !== 'number';
}

function shapeText({ shape }: TensorInfo): string {
  return `[${shape.map((size) => (typeof size === 'number' ? size : -1)).join(', ')}]`;
}
