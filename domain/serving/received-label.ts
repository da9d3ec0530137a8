import type { Contract } from '../data/contract.js';
import { declaredClasses, taskOf } from '../tasks/task-of.js';
import type { ClassName, TaskName } from '../tasks/task.js';

/** What really happened: yes or no, the name of a class, a number. */
export type LabelValue = boolean | number | string;

/** A label as the log of labels holds it, or what is wrong with it: stands behind the name of its field. */
export type ReadLabel = { column: 'label' | 'label_class' | 'label_number'; value: LabelValue } | { problem: string };

const namedMax = 50;

/**
 * Reads labels of one version: of its label's type, one of its classes, within its range.
 * @param classes of a version whose contract lists none
 */
export function labelReader(
  { task: name, contract }: { task?: TaskName | undefined; contract: Contract },
  classes?: readonly ClassName[],
): (value: unknown) => ReadLabel {
  const { label } = contract;
  const task = taskOf({ task: name });
  const column = task.labelColumn;
  if (label === undefined || column === null)
    return () => ({ problem: `cannot be taken: a model of the task ${task.name} has no label` });
  if (column === 'label_class') {
    const known = declaredClasses(label) ?? classes ?? [];
    return (value) => {
      const found = known.find((one) => one === value);
      return found === undefined
        ? { problem: `is none of the classes: ${listed(known)}` }
        : { column, value: String(found) };
    };
  }
  switch (label.type) {
    case 'boolean':
      return (value) => {
        const truth = value === true || value === 1;
        if (!truth && value !== false && value !== 0) return { problem: 'must be true, false, 0 or 1' };
        return column === 'label' ? { column, value: truth } : { column, value: Number(truth) };
      };
    case 'integer':
      return (value) =>
        Number.isSafeInteger(value) ? { column, value: Number(value) } : { problem: 'must be a whole number' };
    case 'number': {
      const { min = -Infinity, max = Infinity } = label;
      const range = [
        ...(label.min === undefined ? [] : [`not below ${min}`]),
        ...(label.max === undefined ? [] : [`not above ${max}`]),
      ].join(' and ');
      return (value) =>
        typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max
          ? { column, value }
          : { problem: `must be a finite number${range && `, ${range}`}` };
    }
    case 'string':
      return () => ({ problem: `cannot be taken: a model of the task ${task.name} has no classes` });
    default:
      return label satisfies never;
  }
}

function listed(classes: readonly ClassName[]): string {
  const shown = classes.slice(0, namedMax).map((one) => JSON.stringify(one));
  return `${shown.join(', ')}${classes.length > namedMax ? ` and ${classes.length - namedMax} more` : ''}`;
}
