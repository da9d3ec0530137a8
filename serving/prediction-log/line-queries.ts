import { quoteName, quotePath, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { logColumns } from '../../domain/serving/prediction-log-columns.js';
import { featureColumn, loggedTypes, type LoggedType } from '../../domain/serving/logged-features.js';
import type { ShapeGroup } from './line-shapes.js';
import type { ParsedContext } from './row-line.js';

const { features: _features, ...headColumns } = logColumns.predictions;

/** Of a row that names a context; keys that are not listed here would cost more to skip than to read. */
const rowColumns = {
  ...{ prediction_id: 'VARCHAR', context: 'VARCHAR', request_id: 'VARCHAR', at: 'TIMESTAMP', epoch: 'INTEGER' },
  ...{
    key_hash: 'VARCHAR',
    latency_ms: 'DOUBLE',
    n: 'FLOAT[]',
    s: 'VARCHAR[]',
    probability: 'DOUBLE',
    label: 'BOOLEAN',
  },
};

/** The labels in a file of lines. Lines that are torn are left out. */
export function labelLinesQuery(file: string): string {
  const columns = Object.keys(logColumns.labels).map(quoteName).join(', ');
  return `SELECT ${columns} FROM ${lines(file, logColumns.labels)} WHERE prediction_id IS NOT NULL`;
}

/**
 * The rows of a file whose lines name their context: a query for each list of features, with the columns of the log and
 * of the features. Lines that are torn, or whose context is, are left out.
 */
export function rowLinesQueries(file: string, contexts: readonly ParsedContext[]): string[] {
  const groups = new Map<string, ParsedContext[]>();
  for (const context of contexts) {
    const key = JSON.stringify([...context.features]);
    groups.set(key, [...(groups.get(key) ?? []), context]);
  }
  return [...groups.values()].map((group) => {
    const keys = group.map(({ context }) => quoteText(context)).join(', ');
    const selected = Object.keys(headColumns).map((name) => `${headValue(name, group)} AS ${quoteName(name)}`);
    const columns = [...selected, ...listedFeatures(group[0]?.features ?? new Map<string, LoggedType>())];
    return `SELECT ${columns.join(', ')} FROM ${lines(file, rowColumns)} WHERE prediction_id IS NOT NULL
      AND context IN (${keys})`;
  });
}

function headValue(name: string, group: readonly ParsedContext[]): string {
  if (name === 'row') return '0';
  if (name in rowColumns) return quoteName(name);
  const valueOf = (context: ParsedContext) => {
    const value = context[name as keyof ParsedContext];
    return typeof value === 'number' ? String(value) : typeof value === 'string' ? quoteText(value) : 'NULL::VARCHAR';
  };
  const [first = 'NULL', ...others] = new Set(group.map(valueOf));
  if (others.length === 0) return first;
  return `CASE context ${group.map((one) => `WHEN ${quoteText(one.context)} THEN ${valueOf(one)}`).join(' ')} END`;
}

function listedFeatures(features: ParsedContext['features']): string[] {
  let number = 0;
  let text = 0;
  return [...features].flatMap(([name, type]) => {
    const value = type === 'number' ? `n[${(number += 1)}]` : `s[${(text += 1)}]`;
    if (type === null) return [];
    const typed = type === 'number' || type === 'string' ? value : `TRY_CAST(${value} AS ${loggedTypes[type]})`;
    return [`${typed} AS ${quoteName(featureColumn(name, type))}`];
  });
}

/** The rows of a file of an older gateway, whose lines name every feature: a query for each group. */
export function namedLinesQueries(file: string, groups: readonly ShapeGroup[]): string[] {
  return groups.map(({ versions, features }) => {
    const fields = [...features].map(([name, type]) => `${quoteName(name)} ${loggedTypes[type]}`);
    const struct = fields.length === 0 ? {} : { features: `STRUCT(${fields.join(', ')})` };
    const selected = [
      ...Object.keys(headColumns).map(quoteName),
      ...[...features].map(([name, type]) => `features.${quoteName(name)} AS ${quoteName(featureColumn(name, type))}`),
    ];
    const source = lines(file, { ...headColumns, ...struct });
    const wanted = `prediction_id IS NOT NULL AND version IN (${[...versions.keys()].join(', ')})`;
    return `SELECT ${selected.join(', ')} FROM ${source} WHERE ${wanted}`;
  });
}

function lines(file: string, columns: Record<string, string>): string {
  const types = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: ${quoteText(type)}`);
  const options = `hive_partitioning = false, format = 'newline_delimited', ignore_errors = true`;
  return `read_json(${quotePath(file)}, ${options}, columns = {${types.join(', ')}})`;
}
