import type { Contract } from '../../domain/data/contract.js';
import { PerdureError } from '../../domain/errors.js';
import type { ClassName, Task } from '../../domain/tasks/task.js';
import { quoteName } from '../data-engine/quote-sql.js';

/** What is read of a holdout beside the model's inputs. */
export interface LabelReader {
  /** SQL of the columns that `read` takes, in their order. */
  columns: string[];
  /** @throws PerdureError `data/invalid`: a row without a label, or with one that the task or the model cannot have. */
  read(values: readonly (readonly unknown[])[], file: string): { labels: Float64Array; groups: string[] };
}

/**
 * Labels as the task codes them: 1 for yes, the place of a class, the number itself; and the group of each row, where
 * rows are ranked within groups.
 */
export function labelReader(labelled: Labelled): LabelReader {
  const { contract, classes } = labelled;
  const { label, group } = contract;
  const columns: string[] = [];
  if (label !== undefined) columns.push(labelSql(label.type, quoteName(label.name)));
  if (group !== undefined) columns.push(`CAST(${quoteName(group)} AS VARCHAR)`);
  const places = new Map(classes.map((one, place) => [String(one), place]));
  return {
    columns,
    read(values, file) {
      const raw = label === undefined ? [] : (values[0] ?? []);
      const groups = group === undefined ? [] : (values[label === undefined ? 0 : 1] ?? []);
      const labels = new Float64Array(raw.length);
      for (const [row, value] of raw.entries()) {
        const code = codeOf(value, label?.type, places);
        const problem = problemOf(label?.name ?? '', value, code, labelled);
        if (problem !== null) throw new PerdureError('data/invalid', `A row of the holdout ${file} ${problem}`);
        labels[row] = code;
      }
      return { labels, groups: groups.map(String) };
    },
  };
}

export interface Labelled {
  task: Task;
  contract: Contract;
  /** In the order of the model's chances; none where the task has none. */
  classes: readonly ClassName[];
}

function labelSql(type: NonNullable<Contract['label']>['type'], name: string): string {
  if (type === 'boolean') return `CAST(${name} AS INTEGER)`;
  if (type === 'string') return `CAST(${name} AS VARCHAR)`;
  return type === 'integer' ? `CAST(CAST(${name} AS BIGINT) AS VARCHAR)` : `CAST(${name} AS DOUBLE)`;
}

function codeOf(value: unknown, type: string | undefined, places: ReadonlyMap<string, number>): number {
  if (value === null || value === undefined) return Number.NaN;
  return places.size > 0 && type !== 'boolean' ? (places.get(textOf(value)) ?? -1) : Number(value);
}

/** What is wrong with a label, after "has"; null where nothing is. */
function problemOf(name: string, value: unknown, code: number, { task, classes }: Labelled): string | null {
  if (value === null || value === undefined) return `has no label ${name}. Leave unlabelled rows out of snapshots.`;
  const found = `the label ${name} ${textOf(value)}`;
  if (!Number.isFinite(code)) return `has ${found}, not a finite number.`;
  if (classes.length > 0 && code === -1)
    return (
      `has ${found}, a class that the model was not trained on (it knows ${shown(classes)}). ` +
      'List every class in contract.label.classes, or take these rows out.'
    );
  if (task.leastLabel !== undefined && code < task.leastLabel) return `has ${found}: a relevance is 0 or greater.`;
  return null;
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);

function shown(classes: readonly ClassName[]): string {
  const first = classes.slice(0, 10).join(', ');
  return classes.length > 10 ? `${first} and ${classes.length - 10} more` : first;
}
