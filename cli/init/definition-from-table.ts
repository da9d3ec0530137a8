import type { Cadence } from '../../domain/cadence.js';
import { PerdureError } from '../../domain/errors.js';
import type { TaskName } from '../../domain/tasks/task.js';
import { nearestNames } from '../../domain/text/nearest-names.js';
import { addedKey, addedTime, type ColumnProfile } from './table-file.js';

export interface WantedModel {
  name: string;
  owner: string;
  task?: TaskName | undefined;
  /** Columns, as the file calls them. */
  label?: string | undefined;
  positive?: string | undefined;
  key: readonly string[];
  time?: string | undefined;
  group?: string | undefined;
  /** How often new data will come; where it is not said, monthly with a time, and static without one. */
  cadence?: Cadence | undefined;
  table: string;
  program: boolean;
}

/** The values of a label and their shares, the most frequent first. */
export type Shares = readonly { value: unknown; share: number }[];

/** How many classes a label of unknown task may have before it is taken for a number. */
const classesMax = 20;

/** The column that somebody named. @throws PerdureError `input/invalid`. */
export function columnNamed(columns: readonly ColumnProfile[], asked: string, option: string): ColumnProfile {
  const found = columns.find(({ original }) => original === asked) ?? columns.find(({ name }) => name === asked);
  if (found) return found;
  const known = columns.map(({ original, name }) => original || name);
  const [near] = nearestNames(asked, known);
  throw new PerdureError(
    'input/invalid',
    `${option} ${asked}: the table has no such column${near ? `; the nearest is ${near}` : ''}. ` +
      `It has ${known.join(', ')}.`,
  );
}

/** What a label's values can only mean, where nobody says. */
export function taskOfLabel(label: ColumnProfile | undefined, shares: Shares): TaskName {
  if (label === undefined) return 'embedding';
  if (label.type === 'boolean' || isZeroOne(label, shares)) return 'binary';
  if (label.type === 'string' || (label.type === 'integer' && label.distinct <= classesMax)) return 'multiclass';
  return 'regression';
}

const isZeroOne = (label: ColumnProfile, shares: Shares): boolean =>
  (label.type === 'integer' || label.type === 'number') &&
  shares.length === 2 &&
  shares.every(({ value }) => [0, 1].includes(Number(value)));

/**
 * A definition that trains on a table: its columns as features, gates that a model of no use does not pass, and what
 * was left out.
 * @param parts of a table with a cadence: its partitions, in order
 */
export function definitionFromTable(
  wanted: WantedModel & { task: TaskName; cadence: Cadence },
  { columns, rows }: { columns: readonly ColumnProfile[]; rows: number },
  shares: Shares,
  parts: readonly string[],
): { definition: Record<string, unknown>; leftOut: string[] } {
  const { task, cadence } = wanted;
  const named = (asked: string | undefined, option: string) =>
    asked === undefined ? undefined : columnNamed(columns, asked, option);
  const label = named(wanted.label, '--label');
  const group = named(wanted.group, '--group');
  const keys = wanted.key.map((one) => columnNamed(columns, one, '--key').name);
  const entity = keys.length > 0 ? keys : [addedKey];
  if (group !== undefined && !entity.includes(group.name)) entity.unshift(group.name);
  const eventTime = named(wanted.time, '--time')?.name ?? addedTime;
  const apart = new Set([...entity, eventTime, label?.name]);
  const { features, leftOut } = featuresOf(
    columns.filter(({ name }) => !apart.has(name)),
    rows,
  );
  if (Object.keys(features).length === 0)
    throw new PerdureError('input/invalid', `The table has no column left to be a feature. ${leftOut.join('; ')}`);
  const length = Math.min(8, Object.values(features).filter(({ type }) => type === 'number').length);
  const definition = {
    name: wanted.name,
    description: `${titles[task]}${label ? ` ${label.name}` : ''} from ${Object.keys(features).length} features.`,
    owner: wanted.owner,
    task,
    contract: {
      entity,
      eventTime,
      ...(label && { label: labelOf(task, label, shares, wanted.positive) }),
      ...(group && { group: group.name }),
      ...(task === 'embedding' && { output: { length } }),
      features,
    },
    data: {
      cadence,
      tables: {
        [wanted.table]: {
          ...(cadence === 'static' && { partitioned: false }),
          columns: Object.fromEntries(columns.map(({ name, type }) => [name, type])),
          key: entity,
        },
      },
      base: wanted.table,
      ...(cadence === 'static'
        ? { split: splitOf(group?.name) }
        : { window: { kind: 'expanding', from: parts[0] ?? '' } }),
    },
    training: wanted.program ? { program: './trainer' } : { algorithm: 'lightgbm' },
    evaluation: { gates: gatesOf(task, shares) },
    rollout: {
      strategy: 'canary',
      steps: [
        { sharePct: 10, minRequests: 200, minSeconds: 60 },
        { sharePct: 100, minRequests: 200, minSeconds: 60 },
      ],
    },
  };
  return { definition, leftOut };
}

const titles: Record<TaskName, string> = {
  binary: 'Chance of',
  multiclass: 'Class',
  regression: 'Predicts',
  ranking: 'Ranks by',
  embedding: 'A vector',
};

/** The same rows in every run, whatever others come; the rows of a group together. */
const splitOf = (group: string | undefined) =>
  group === undefined
    ? { kind: 'share', holdoutPct: 25, by: 'random', seed: 42 }
    : { kind: 'share', holdoutPct: 25, by: 'group', group, seed: 42 };

interface WrittenFeature {
  type: 'number' | 'string' | 'boolean';
  nullable?: true;
  maxLength?: number;
}

function featuresOf(
  columns: readonly ColumnProfile[],
  rows: number,
): {
  features: Record<string, WrittenFeature>;
  leftOut: string[];
} {
  const features: Record<string, WrittenFeature> = {};
  const leftOut: string[] = [];
  for (const { name, type, nulls, distinct, longest } of columns) {
    if (type === 'timestamp') leftOut.push(`${name}: a time; make a feature of it with \`from\`, such as its hour`);
    else if (type === 'string' && distinct > 50 && distinct + nulls === rows)
      leftOut.push(`${name}: a different text in each row, as if it were a name`);
    else
      features[name] = {
        type: type === 'integer' ? 'number' : type,
        ...(nulls > 0 && { nullable: true as const }),
        ...(longest > 256 && { maxLength: Math.min(10_000, longest * 2) }),
      };
  }
  return { features, leftOut };
}

function labelOf(task: TaskName, label: ColumnProfile, shares: Shares, positive: string | undefined) {
  const { name, type } = label;
  if (task === 'binary') {
    if (type === 'boolean') return { name, type: 'boolean' };
    if (positive === undefined && isZeroOne(label, shares)) return { name, type: 'boolean', from: `${name} = 1` };
    if (positive === undefined)
      throw new PerdureError(
        'input/invalid',
        `--label ${name}: a binary label is true or false, or 0 or 1. Say with --positive which of its values is ` +
          'the yes.',
      );
    const value = type === 'string' ? `'${positive.replaceAll("'", "''")}'` : positive;
    return { name, type: 'boolean', from: `${name} = ${value}` };
  }
  if (task === 'multiclass') {
    const classes = shares.map(({ value }) => (type === 'string' ? String(value) : Number(value)));
    return { name, type: type === 'string' ? 'string' : 'integer', classes: classes.toSorted(byValue) };
  }
  if (task === 'regression') return { name, type: 'number' };
  return { name, type };
}

const byValue = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);

/** What a model that has learnt nothing does not reach. */
function gatesOf(task: TaskName, shares: Shares) {
  const [commonest] = shares;
  switch (task) {
    case 'binary':
      return [{ name: 'ranks better than chance', metric: 'rocAuc', atLeast: 0.55 }];
    case 'multiclass':
      return [
        {
          name: 'better than always the most frequent class',
          metric: 'accuracy',
          atLeast: Math.ceil((commonest?.share ?? 0) * 100) / 100,
        },
      ];
    case 'regression':
      return [{ name: 'better than the mean', metric: 'r2', atLeast: 0 }];
    case 'ranking':
      return [{ name: 'puts the relevant first', metric: 'ndcg', k: 10, atLeast: 0.5 }];
    case 'embedding':
      return [];
  }
}
