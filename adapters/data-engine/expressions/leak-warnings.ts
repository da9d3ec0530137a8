import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import type { ShapeDefinition } from '../../../domain/data/snapshot/snapshot-shape.js';
import type { PlannedColumn } from '../snapshot/plan-columns.js';
import type { SourceColumn } from './source-columns.js';

/**
 * Features that read what the label is made of, or a column of that name in another table. It is no proof of a leak,
 * for the label may be made of something that is known beforehand as well; what identifies a row, says when it was or
 * joins tables is left out.
 */
export function leakWarnings(
  { contract, data }: ShapeDefinition,
  columns: readonly PlannedColumn[],
): DefinitionProblem[] {
  const innocent = new Set(
    [contract.eventTime, ...contract.entity, ...data.joins.flatMap(({ on }) => on)].map((name) => name.toLowerCase()),
  );
  const label = columns.find(({ role }) => role === 'label');
  const own = new Map(
    (label?.reads ?? [])
      .filter(({ column }) => !innocent.has(column.toLowerCase()))
      .map((read) => [read.column.toLowerCase(), read]),
  );
  return columns.flatMap(({ role, path, reads }) => {
    if (role !== 'feature') return [];
    const [leak] = reads.flatMap((read) => withOwn(read, own));
    return leak === undefined ? [] : [{ path, message: leak }];
  });

  function withOwn(read: SourceColumn, labels: ReadonlyMap<string, SourceColumn>): string[] {
    const own = labels.get(read.column.toLowerCase());
    if (!own) return [];
    const what =
      own.table === read.table
        ? `reads ${read.table}.${read.column}, from which the label is derived`
        : `reads ${read.table}.${read.column}, which has the same name as ${own.table}.${own.column}, from which ` +
          'the label is derived';
    return [`${what}: if it is only known after the outcome, the label leaks into the features`];
  }
}
