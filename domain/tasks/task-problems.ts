import type { Contract } from '../data/contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { outputSignature, taskOf } from './task-of.js';
import type { TaskName } from './task.js';

interface TaskDefinition {
  task?: TaskName | undefined;
  contract: Contract;
}

const taskOfOutput = [
  ['quantiles', 'regression'],
  ['intervalPct', 'regression'],
  ['length', 'embedding'],
] as const;

/** Where a contract does not fit the task: its label, its outputs, the names of its features. */
export function taskProblems(definition: TaskDefinition): DefinitionProblem[] {
  const { contract } = definition;
  const task = taskOf(definition);
  const { label, output } = contract;
  const problems: DefinitionProblem[] = [];
  const say = (path: string, message: string) => problems.push({ path, message });
  if (task.labelTypes.length === 0) {
    if (label !== undefined) say('contract.label', `a model of the task ${task.name} has no label: leave it out`);
  } else if (label === undefined) {
    say('contract.label', `is missing: the task ${task.name} needs one of the type ${task.labelTypes.join(' or ')}`);
  } else if (!task.labelTypes.includes(label.type)) {
    say('contract.label.type', `is ${label.type}; the task ${task.name} needs ${task.labelTypes.join(' or ')}`);
  }
  if (contract.group !== undefined && task.name !== 'ranking')
    say('contract.group', `is for the task ranking; this one is ${task.name}`);
  for (const [field, wanted] of taskOfOutput)
    if (output?.[field] !== undefined && task.name !== wanted)
      say(`contract.output.${field}`, `is for the task ${wanted}; this one is ${task.name}`);
  if (output?.quantiles !== undefined && output.intervalPct !== undefined)
    say('contract.output', 'give quantiles or intervalPct, not both: an interval is its two outer quantiles');
  const falling = output?.quantiles?.findIndex((one, index, all) => index > 0 && one <= (all[index - 1] ?? 0)) ?? -1;
  if (falling !== -1) say(`contract.output.quantiles[${falling}]`, 'must be greater than the one before it');
  const taken = task.outputs(outputSignature(contract)).map(({ name }) => name);
  for (const name of Object.keys(contract.features).filter((one) => taken.includes(one)))
    say(`contract.features.${name}`, 'is the name of an output of the model: give the feature another');
  return [...problems, ...task.problems(contract)];
}
