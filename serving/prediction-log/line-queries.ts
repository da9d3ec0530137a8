import { quoteName, quotePath, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { logColumns, outputColumns } from '../../domain/serving/prediction-log-columns.js';
import { featureColumn, loggedTypes } from '../../domain/serving/logged-features.js';
import type { ShapeGroup } from './line-shapes.js';

/** Those gateways knew yes or no alone. */
const answered = ['probability', 'label'];
const headColumns = Object.fromEntries(
  Object.entries(logColumns.predictions).filter(
    ([name]) => name !== 'features' && (answered.includes(name) || !Object.hasOwn(outputColumns, name)),
  ),
);

/** The labels in a file of lines. Lines that are torn are left out. */
export function labelLinesQuery(file: string): string {
  const columns = Object.keys(logColumns.labels).map(quoteName).join(', ');
  return `SELECT ${columns} FROM ${lines(file, logColumns.labels)} WHERE prediction_id IS NOT NULL`;
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
