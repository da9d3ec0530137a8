import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { joinColumns, joinName } from '../../../domain/data/join.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import type { ColumnPlan } from '../snapshot/plan-columns.js';
import type { SourceColumn } from './source-columns.js';

/**
 * Features that read what the label is made of, by way of an aggregate too, or a column of that name in another table;
 * and aggregates over rows that come after the row itself. It is no proof of a leak, for the label may be made of
 * something that is known beforehand as well; what identifies a row, says when it was or joins tables is left out.
 */
export function leakWarnings(
  { contract, data }: ShapeDefinition,
  { columns, aggregates }: Pick<ColumnPlan, 'columns' | 'aggregates'>,
): DefinitionProblem[] {
  const joining = data.joins.flatMap((join) => joinColumns(join).flatMap(({ left, right }) => [left, right]));
  const innocent = new Set([contract.eventTime, ...contract.entity, ...joining].map((name) => name.toLowerCase()));
  const label = columns.find(({ role }) => role === 'label');
  const own = new Map(
    (label?.reads ?? [])
      .flatMap(throughAggregate)
      .filter(({ column }) => !innocent.has(column.toLowerCase()))
      .map((read) => [read.column.toLowerCase(), read]),
  );
  const leaks = columns.flatMap(({ role, path, reads }) => {
    if (role !== 'feature') return [];
    const [leak] = reads.flatMap(throughAggregate).flatMap(withOwn);
    return leak === undefined ? [] : [{ path, message: leak }];
  });
  return [...leaks, ...laterRows(data)];

  /** The columns that an aggregate is made of, in its place. */
  function throughAggregate(read: SourceColumn): SourceColumn[] {
    const index = data.joins.findIndex((join) => joinName(join) === read.table);
    const join = data.joins[index];
    if (!join?.aggregate) return [read];
    const planned = aggregates.get(index)?.find(({ name }) => name === read.column);
    return (planned?.reads ?? []).map((one) => ({ ...one, table: join.table }));
  }

  function withOwn(read: SourceColumn): string[] {
    const labels = own.get(read.column.toLowerCase());
    if (!labels) return [];
    const what =
      labels.table === read.table
        ? `reads ${read.table}.${read.column}, from which the label is derived`
        : `reads ${read.table}.${read.column}, which has the same name as ${labels.table}.${labels.column}, from ` +
          'which the label is derived';
    return [`${what}: if it is only known after the outcome, the label leaks into the features`];
  }
}

/** Without asOf an aggregate takes the whole partition: rows that came later than the base row too. */
function laterRows({ joins, tables }: ShapeDefinition['data']): DefinitionProblem[] {
  return joins.flatMap((join, index) =>
    join.aggregate && !join.asOf && tables[join.table]?.partitioned
      ? [
          {
            path: `data.joins[${index}].aggregate`,
            message:
              `takes all rows of ${join.table} in the partition, later ones than the row itself too: give the ` +
              'join asOf and a window if they are not known yet when the model is asked',
          },
        ]
      : [],
  );
}
