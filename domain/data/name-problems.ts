import type { Contract } from './contract.js';
import { labelColumns } from './label.js';
import type { DataPolicy } from './data-policy.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { joinColumns, joinName } from './join.js';
import { dataSources, sourceTables } from './source-tables.js';

interface Place {
  path: string;
  names: readonly string[];
  /** Why these names share a space. */
  because?: string;
}

/** Names that SQL would take for one another, used for different things: case does not count. */
export function nameProblems({ contract, data }: { contract: Contract; data: DataPolicy }): DefinitionProblem[] {
  const joined = data.joins.map(joinName);
  const places: Place[] = [
    { path: 'data.tables', names: Object.keys(data.tables) },
    ...Object.entries(data.tables).map(([table, { columns }]) => ({
      path: `data.tables.${table}.columns`,
      names: Object.keys(columns),
    })),
    ...Object.entries(data.tables).map(([table, { key = [] }]) => ({ path: `data.tables.${table}.key`, names: key })),
    ...data.joins.flatMap((join, index) => [
      { path: `data.joins[${index}].on`, names: joinColumns(join).map(({ right }) => right) },
      { path: `data.joins[${index}].aggregate`, names: Object.keys(join.aggregate ?? {}) },
    ]),
    {
      path: 'data.joins',
      names: dataSources(data).map(({ name }) => name),
      because: 'a table that is joined twice needs another name (as)',
    },
    ...sourceTables(data).map((table) => ({
      path: `data.tables.${table}.columns`,
      names: [...once(Object.keys(data.tables[table]?.columns ?? {})), ...joined],
      because: 'a column has the name of a joined table',
    })),
    { path: 'contract.features', names: [...Object.keys(contract.features), ...labelColumns(contract)] },
    { path: 'contract.entity', names: contract.entity },
    {
      path: 'contract.label.name',
      names: [...once([...contract.entity, contract.eventTime]), ...labelColumns(contract)],
      because: 'the label cannot be part of the entity or the event time',
    },
    {
      path: 'contract.eventTime',
      names: [...Object.keys(contract.features), contract.eventTime],
      because: 'the event time cannot be a feature',
    },
  ];
  const problems = places.flatMap(({ path, names, because }) => {
    const twice = firstTwice(names);
    if (twice === undefined) return [];
    return [
      {
        path,
        message:
          `the name ${twice} is used twice (case does not count)${because ? `: ${because}` : ''}. Rename one ` +
          `of them`,
      },
    ];
  });
  return [...new Map(problems.map((problem) => [`${problem.path} ${problem.message}`, problem])).values()];
}

const once = (names: readonly string[]): string[] => [
  ...new Map(names.map((name) => [name.toLowerCase(), name])).values(),
];

function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => {
    const key = name.toLowerCase();
    const known = seen.has(key);
    seen.add(key);
    return known;
  });
}
