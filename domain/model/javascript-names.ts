import { labelColumns } from '../data/label.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { joinColumns, joinName } from '../data/join.js';
import type { ModelDefinition } from './model-definition.js';

const message = 'is a reserved name in JavaScript: choose another';

/**
 * `constructor` is in every JavaScript object: whatever is looked up by such a name would be found where there is none.
 */
export function javaScriptNames({ contract, data, evaluation, rollout }: ModelDefinition): DefinitionProblem[] {
  const keys = (place: string, named: object | undefined) =>
    Object.keys(named ?? {}).map((name) => ({ path: `${place}.${name}`, name }));
  const list = (place: string, names: readonly string[]) =>
    names.map((name, index) => ({ path: `${place}[${index}]`, name }));
  const judged = rollout.strategy === 'direct' ? [] : rollout.judge.metrics;
  const places = [
    ...list('contract.entity', contract.entity),
    { path: 'contract.eventTime', name: contract.eventTime },
    ...labelColumns(contract).map((name) => ({ path: 'contract.label.name', name })),
    ...keys('contract.features', contract.features),
    ...keys('contract.accepts', contract.accepts),
    { path: 'data.base', name: data.base },
    ...keys('data.tables', data.tables),
    ...Object.entries(data.tables).flatMap(([table, { columns, key }]) => [
      ...keys(`data.tables.${table}.columns`, columns),
      ...list(`data.tables.${table}.key`, key ?? []),
    ]),
    ...data.joins.flatMap((join, index) => [
      { path: `data.joins[${index}].table`, name: join.table },
      { path: `data.joins[${index}].as`, name: joinName(join) },
      ...list(
        `data.joins[${index}].on`,
        joinColumns(join).flatMap(({ left, right }) => (left === right ? [left] : [left, right])),
      ),
      ...keys(`data.joins[${index}].aggregate`, join.aggregate),
    ]),
    ...list('evaluation.slices', evaluation.slices),
    ...judged.flatMap((metric, index) =>
      'name' in metric ? [{ path: `rollout.judge.metrics[${index}].name`, name: metric.name }] : [],
    ),
    ...(rollout.strategy === 'ab' && 'name' in rollout.outcome
      ? [{ path: 'rollout.outcome.name', name: rollout.outcome.name }]
      : []),
  ];
  return places.filter(({ name }) => name in Object.prototype).map(({ path }) => ({ path, message }));
}

/** Members called `__proto__`, anywhere in what somebody wrote: parsing leaves them out without a word. */
export function prototypeMembers(value: unknown, path = ''): DefinitionProblem[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const place = Array.isArray(value) ? `${path}[${name}]` : path ? `${path}.${name}` : name;
    return name === '__proto__' ? [{ path: place, message }] : prototypeMembers(inner, place);
  });
}
