import type { Contract } from '../data/contract.js';
import type { Label } from '../data/label.js';
import { PerdureError } from '../errors.js';
import { binary } from './binary.js';
import { embedding } from './embedding.js';
import { multiclass } from './multiclass.js';
import { ranking } from './ranking.js';
import { regression } from './regression.js';
import type { ClassName, OutputSignature, Task, TaskName } from './task.js';

export const tasks: Readonly<Record<TaskName, Task>> = { binary, multiclass, regression, ranking, embedding };

/** The task of a definition; `binary` where it does not say. */
export const taskOf = ({ task = 'binary' }: { task?: TaskName | undefined }): Task => tasks[task];

/** Probabilities of the quantiles that a contract asks for, rising; none where it asks for none. */
export function quantilesOf({ output }: Pick<Contract, 'output'>): number[] {
  const { quantiles = [], intervalPct } = output ?? {};
  if (intervalPct === undefined) return [...quantiles];
  const tail = (1 - intervalPct / 100) / 2;
  return [Number(tail.toFixed(6)), Number((1 - tail).toFixed(6))];
}

/**
 * What a contract says of the shape of answers.
 * @param classes of a version whose contract lists none: those that it was trained on
 */
export function outputSignature(contract: Contract, classes: readonly ClassName[] = []): OutputSignature {
  return {
    classes: declaredClasses(contract.label) ?? classes,
    quantiles: quantilesOf(contract),
    length: contract.output?.length ?? 0,
  };
}

/** The classes that a label names; a boolean one has 0 and 1. Undefined where it does not say. */
export function declaredClasses(label: Label | undefined): readonly ClassName[] | undefined {
  if (label?.type === 'boolean') return [0, 1];
  return label !== undefined && 'classes' in label ? label.classes : undefined;
}

/** The contract with the classes that a version was trained on, where it lists none itself. */
export function withClasses(contract: Contract, classes: readonly ClassName[] = []): Contract {
  const { label } = contract;
  if (classes.length === 0 || declaredClasses(label) !== undefined) return contract;
  if (label?.type === 'string') return { ...contract, label: { ...label, classes: classes.map(String) } };
  return label?.type === 'integer' ? { ...contract, label: { ...label, classes: classes.map(Number) } } : contract;
}

/** @throws PerdureError `definition/invalid`: a label was to be there. */
export function labelOf({ label }: Pick<Contract, 'label'>): Label {
  if (label === undefined) throw new PerdureError('definition/invalid', 'contract.label: this task needs a label.');
  return label;
}
