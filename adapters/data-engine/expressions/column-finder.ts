import { nearestNames } from '../../../domain/text/nearest-names.js';
import type { ColumnSources, Resolution, SourceColumn } from './source-columns.js';

export type ColumnFinder = (names: readonly string[]) => Resolution;

/**
 * Finds the column that an expression means. A bare name is the base's column if it has one, else that of the only
 * joined table that has it; `table.column` always works. Case does not matter, as in SQL. Indexed once, so that a wide
 * table costs no more a column than a narrow one.
 */
export function columnFinder(sources: ColumnSources): ColumnFinder {
  const tables = sources.map(({ name }) => name);
  const byTable = new Map<string, Map<string, SourceColumn>>();
  const bare = new Map<string, SourceColumn[]>();
  for (const { name: table, columns: declared } of sources) {
    const columns = new Map<string, SourceColumn>();
    for (const [column, type] of Object.entries(declared)) {
      const name = column.toLowerCase();
      const found = { table, column, type };
      if (columns.has(name)) continue;
      columns.set(name, found);
      const others = bare.get(name);
      if (others) others.push(found);
      else bare.set(name, [found]);
    }
    byTable.set(table.toLowerCase(), columns);
  }

  const orNearest = (name: string, known: Iterable<SourceColumn[] | SourceColumn>): string => {
    const names = [...known].flatMap((one) => one).map(({ column }) => column);
    const near = nearestNames(name, names);
    return near.length === 0 ? '' : `; the nearest ${near.length === 1 ? 'is' : 'are'} ${near.join(', ')}`;
  };

  return (names) => {
    const [first = '', second] = names;
    if (names.length === 2 && second !== undefined) {
      const columns = byTable.get(first.toLowerCase());
      if (columns === undefined) return { problem: `${first} is not a table of this model (${tables.join(', ')})` };
      const found = columns.get(second.toLowerCase());
      return found
        ? { found }
        : { problem: `${second} is not a declared column of ${first}${orNearest(second, columns.values())}` };
    }
    if (names.length !== 1) return { problem: `${names.join('.')} is not a column: write column or table.column` };
    const candidates = bare.get(first.toLowerCase()) ?? [];
    const [only] = candidates;
    if (only && (candidates.length === 1 || only.table === tables[0])) return { found: only };
    if (only)
      return {
        problem:
          `${first} is a column of ${candidates.map(({ table }) => table).join(' and ')}: write ` +
          `${only.table}.${first}`,
      };
    return { problem: `${first} is not a declared column of ${tables.join(', ')}${orNearest(first, bare.values())}` };
  };
}
