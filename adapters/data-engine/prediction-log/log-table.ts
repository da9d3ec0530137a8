import { sparseColumns, type LogKind } from '../../../domain/serving/prediction-log-columns.js';
import { parquetTable, quoteName } from '../quote-sql.js';

/** Objects of a log as one table; columns that none of them has are there, null. */
export function logTable(kind: LogKind, files: readonly string[]): string {
  const nulls = Object.entries(sparseColumns[kind]).map(
    ([name, type]) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`,
  );
  return (
    `(SELECT * FROM ${parquetTable(files, 'union_by_name = true')} ` +
    `UNION ALL BY NAME SELECT ${nulls.join(', ')} WHERE false)`
  );
}
