import type { DataPolicy } from '../../../domain/data/data-policy.js';
import { joinName, type Join } from '../../../domain/data/join.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import type { DuckSession } from '../duck-session.js';
import { quoteName } from '../quote-sql.js';

/** One join onto what has been joined before it. */
export interface JoinStep {
  session: DuckSession;
  join: Join;
  /** What the joined rows are called within the query. */
  alias: string;
  /** The base's rows `b`, with the earlier joins where the left side needs them: what stands after FROM. */
  before: string;
  /** Pairs that must be equal: SQL over `before`, and a column of the right table. */
  on: readonly { left: string; right: string }[];
  /** SQL of the moment of the base row; of an as-of join. */
  moment: string;
  /** The right table, as it was loaded. */
  right: string;
  /** The right table, as it is declared. */
  table: DataPolicy['tables'][string];
  base: string;
  /** The columns of the join that anything reads. */
  used: readonly string[];
}

export interface JoinedRows {
  /** What is appended to FROM: it leaves each row of before exactly once. */
  clause: string;
  /** SQL of a column of the join. */
  value: (column: string) => string;
  issues: ValidationIssue[];
  /** Columns that cannot be computed on these data, already reported. */
  failed?: readonly string[];
}

/** What an issue calls the join. */
export function joinText({ join, on }: Pick<JoinStep, 'join' | 'on'>): string {
  const name = joinName(join);
  const called = name === join.table ? name : `${join.table} (as ${name})`;
  const pairs = join.on.map((one) => (typeof one === 'string' ? one : `${one.left} = ${one.right}`));
  return on.length === 0 ? called : `${called} on ${pairs.join(', ')}`;
}

/** The right columns of `on`, quoted, each after a prefix. */
export const rightColumns = ({ on }: Pick<JoinStep, 'on'>, prefix = ''): string[] =>
  on.map(({ right }) => `${prefix}${quoteName(right)}`);
