import { cadenceIn, cadenceWords } from '../../cadence.js';
import { digestOf } from '../../canonical-json.js';
import type { Item } from '../feature/feature.js';
import { typeInWords } from '../feature/in-words.js';
import type { Contract } from '../contract.js';
import type { DataPolicy } from '../data-policy.js';
import { joinName, type Join } from '../join.js';
import type { ShapeDefinition } from './snapshot-shape.js';

type NamedShape = ShapeDefinition & { name: string };

/**
 * A feature of the champion in rows that are shaped for a comparison; the prefix keeps it apart from the columns by
 * which rows are matched.
 */
export const championColumn = (feature: string): string => `champion:${feature}`;

/** Whether rows that were shaped for the challenger hold all that the champion reads, computed in the same way. */
export function readsAlike(champion: ShapeDefinition, challenger: ShapeDefinition): boolean {
  const same = Object.entries(champion.contract.features).every(([name, feature]) => {
    const other = Object.hasOwn(challenger.contract.features, name) ? challenger.contract.features[name] : undefined;
    return (
      other !== undefined &&
      typeInWords(other) === typeInWords(feature) &&
      (other.from ?? name) === (feature.from ?? name)
    );
  });
  return same && sourcesDigest(champion) === sourcesDigest(challenger);
}

function sourcesDigest({ contract: { eventTime }, data: { tables, base, joins } }: ShapeDefinition): string {
  const read = Object.fromEntries(
    Object.entries(tables).map(([name, { columns, partitioned }]) => [name, { columns, partitioned }]),
  );
  return digestOf({ base, joins: joins.map((join) => withMoment(join, eventTime)), tables: read });
}

/**
 * How to compute the champion's features on the challenger's rows: entity, event time and label are the challenger's,
 * features the champion's, tables and joins those of both. No rule of the champion's contract leaves a row out. Or why
 * that makes no sense.
 */
export function comparisonShape(champion: NamedShape, challenger: NamedShape): NamedShape | { impossible: string } {
  const impossible = whyNotComparable(champion, challenger);
  if (impossible !== null) return { impossible };
  const { entity, eventTime, label } = challenger.contract;
  const keys = entity.flatMap((name) => {
    const feature = challenger.contract.features[name];
    return feature === undefined ? [] : [[name, anyValue(feature, name)] as const];
  });
  const features = Object.entries(champion.contract.features).map(
    ([name, feature]) => [championColumn(name), anyValue(feature, name)] as const,
  );
  return {
    name: challenger.name,
    contract: { entity, eventTime, label, features: Object.fromEntries([...keys, ...features]) },
    data: {
      ...challenger.data,
      tables: tablesOfBoth(champion.data, challenger.data),
      joins: joinsOfBoth(champion, challenger),
    },
  };
}

function whyNotComparable(champion: NamedShape, challenger: NamedShape): string | null {
  const [was, is] = [champion.contract.label, challenger.contract.label];
  if (was?.name !== is?.name || was?.type !== is?.type)
    return `the champion predicts ${was?.name ?? 'without a label'}, this version ${is?.name ?? 'without a label'}`;
  if (champion.data.base !== challenger.data.base)
    return `the champion's rows are those of ${champion.data.base}, this version's those of ${challenger.data.base}`;
  for (const join of challenger.data.joins) {
    const other = champion.data.joins.find((one) => joinName(one) === joinName(join));
    if (!other) continue;
    const [before, now] = [
      withMoment(other, champion.contract.eventTime),
      withMoment(join, challenger.contract.eventTime),
    ];
    if (digestOf(before) !== digestOf(now))
      return `the champion joins ${describe(before)}, this version ${describe(now)}`;
  }
  const [had, has] = [cadenceIn(champion.data), cadenceIn(challenger.data)];
  if (had !== has)
    return `the champion's partitions are ${cadenceWords[had].many}, this version's ${cadenceWords[has].many}`;
  const moved = Object.entries(challenger.data.tables).find(([name, table]) => {
    const other = champion.data.tables[name];
    return other !== undefined && other.partitioned !== table.partitioned;
  });
  return moved ? `${moved[0]} is partitioned for one of the two versions only` : null;
}

const describe = ({ table, on, ...more }: Join): string =>
  [
    `${table} on ${on.map((one) => (typeof one === 'string' ? one : `${one.left} = ${one.right}`)).join(', ')}`,
    ...Object.entries(more).map(([field, value]) => `${field} ${JSON.stringify(value)}`),
  ].join(', ');

/** The feature without the rules that refuse rows. */
function anyValue(feature: Contract['features'][string], name: string): Contract['features'][string] {
  const from = feature.from ?? `"${name}"`;
  const free = { nullable: true, from };
  if (feature.type === 'vector') return { type: 'vector', length: feature.length, ...free };
  if (feature.type === 'list')
    return { type: 'list', of: anyItem(feature.of.type), maxLength: Number.MAX_SAFE_INTEGER, ...free };
  return { ...anyItem(feature.type), ...free };
}

function anyItem(type: Item['type']): Item {
  const maxLength = Number.MAX_SAFE_INTEGER;
  if (type === 'string') return { type, closed: false, maxLength };
  return type === 'text' ? { type, maxLength } : { type };
}

/** Of a column that both declare, the champion's type counts: its features are what is computed. */
function tablesOfBoth(champion: DataPolicy, challenger: DataPolicy): DataPolicy['tables'] {
  const names = [...new Set([...Object.keys(champion.tables), ...Object.keys(challenger.tables)])];
  return Object.fromEntries(
    names.map((name) => {
      const [was, is] = [champion.tables[name], challenger.tables[name]];
      const { partitioned = true, shared } = is ?? was ?? {};
      const columns = { ...is?.columns, ...was?.columns };
      return [name, { partitioned, columns, ...(shared === undefined ? {} : { shared }) }];
    }),
  );
}

/** The base of both is one table; the moment of an as-of join is that of the definition which declares it. */
function joinsOfBoth(champion: ShapeDefinition, challenger: ShapeDefinition): DataPolicy['joins'] {
  const was = champion.data.joins.map((join) => withMoment(join, champion.contract.eventTime));
  const is = challenger.data.joins.map((join) => withMoment(join, challenger.contract.eventTime));
  return [...was, ...is.filter((join) => !was.some((one) => joinName(one) === joinName(join)))];
}

const withMoment = (join: Join, eventTime: string): Join =>
  join.asOf === undefined ? join : { ...join, asOf: { ...join.asOf, leftTime: join.asOf.leftTime ?? eventTime } };

/** The shape without columns that no file holds any more; what still reads them cannot be computed. */
export function withoutColumns(shape: NamedShape, gone: readonly { table: string; column: string }[]): NamedShape {
  const tables = Object.entries(shape.data.tables).map(([name, table]) => {
    const left = Object.entries(table.columns).filter(
      ([column]) => !gone.some((one) => one.table === name && one.column === column),
    );
    return [name, { ...table, columns: Object.fromEntries(left) }] as const;
  });
  return { ...shape, data: { ...shape.data, tables: Object.fromEntries(tables) } };
}
