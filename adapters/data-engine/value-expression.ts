import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Contract } from '../../domain/contract.js';
import type { ColumnType } from '../../domain/data-policy.js';
import { PerdureError } from '../../domain/errors.js';
import type { JudgedMetric } from '../../domain/judge-policy.js';
import type { ModelDefinition } from '../../domain/model-definition.js';
import { isQueryError, openDuckSession, type DuckSession } from './duck-session.js';
import { createExpressionParser } from './expression.js';
import { quoteName, quoteText } from './quote.js';
import { sameName } from './source-columns.js';

type ValueMetric = Extract<JudgedMetric, { metric: 'value' }>;

/** What a prediction has beside its features. */
const ownColumns: Record<string, ColumnType> = { probability: 'number', label: 'boolean', latency_ms: 'number' };
const sqlTypes = { number: 'DOUBLE', string: 'VARCHAR', boolean: 'BOOLEAN', integer: 'BIGINT', timestamp: 'TIMESTAMP' } as const;
const typeSchema = z.object({ column_type: z.string() });
const givesNumber = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$/;

/** An expression that was found to be fine. */
export interface ValueExpression {
  /** SQL over the columns that `predictionColumns` gives; null where it fails or is not a number. */
  sql: string;
  /** The features that it reads. */
  features: string[];
}

export interface ValueExpressions {
  /** @throws PerdureError `definition/invalid` that says what is wrong with the metric's `from`. */
  read(metric: ValueMetric): Promise<ValueExpression>;
}

/** Reads the `from` of value metrics: over one row, the features of the contract and what a prediction has beside them. */
export async function createValueExpressions(session: DuckSession, contract: Contract): Promise<ValueExpressions> {
  const columns: Record<string, ColumnType> = {};
  for (const [name, { type }] of Object.entries(contract.features)) columns[name] = type;
  const twofold = Object.keys(columns).filter((name) => Object.keys(ownColumns).some((own) => sameName(own, name)));
  Object.assign(columns, ownColumns);
  const parser = await createExpressionParser(session, { base: 'prediction', joins: [], tables: { prediction: { columns } } });
  return {
    async read({ name, from }) {
      const refuse = (problem: string) => new PerdureError('definition/invalid', `${name} = ${from}: ${problem}.`);
      const parsed = await parser.parse(from);
      if ('problem' in parsed) throw refuse(parsed.problem);
      const used = [...new Set(parsed.columns.map(({ column }) => column))];
      const unclear = used.find((column) => twofold.some((feature) => sameName(feature, column)));
      if (unclear !== undefined)
        throw refuse(`${unclear} is a feature as well as a column of every prediction; give the feature another name`);
      const empty = Object.entries(columns).map(([column, type]) => `NULL::${sqlTypes[type]} AS ${quoteName(column)}`);
      const sql = `TRY(CAST(${parsed.sql} AS DOUBLE))`;
      try {
        const source = `(SELECT ${empty.join(', ')}) AS prediction`;
        const [row] = await session.rows(`DESCRIBE SELECT ${parsed.sql} AS v FROM ${source}`, typeSchema);
        const type = row?.column_type ?? '';
        if (!givesNumber.test(type)) throw refuse(`it gives ${type}; it must give a number`);
        await session.run(`SELECT ${sql} FROM ${source}`);
      } catch (error) {
        if (!isQueryError(error)) throw error;
        throw refuse(error.message.split('\n')[0]?.replace(/[.!]$/, '') ?? '');
      }
      return { sql, features: used.filter((column) => !(column in ownColumns)) };
    },
  };
}

/** The select list that gives expressions their columns, from rows of the prediction log. */
export function predictionColumns(contract: Contract, features: readonly string[]): string {
  const served = [...new Set(features)].map((name) => {
    const text = `json_extract_string(features, ${quoteText(`$."${name}"`)})`;
    return `${contract.features[name]?.type === 'number' ? `TRY_CAST(${text} AS DOUBLE)` : text} AS ${quoteName(name)}`;
  });
  return [...Object.keys(ownColumns).map(quoteName), ...served].join(', ');
}

/** Checks every value metric of a definition. @throws PerdureError `definition/invalid` that names the field. */
export async function checkValueMetrics(definition: ModelDefinition): Promise<void> {
  const metrics = valueMetricsOf(definition);
  if (metrics.length === 0) return;
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-check-'));
  const session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 128 });
  try {
    const expressions = await createValueExpressions(session, definition.contract);
    const problems: { path: string; message: string }[] = [];
    for (const { at, metric } of metrics) {
      await expressions.read(metric).catch((error: unknown) => {
        if (!(error instanceof PerdureError) || error.code !== 'definition/invalid') throw error;
        problems.push({ path: at, message: error.message });
      });
    }
    if (problems.length === 0) return;
    const lines = problems.map((problem) => `  ${problem.path}: ${problem.message}`).join('\n');
    throw new PerdureError('definition/invalid', `The definition of model ${definition.name} is not valid:\n${lines}`, { problems });
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function valueMetricsOf({ rollout }: ModelDefinition): { at: string; metric: ValueMetric }[] {
  if (rollout.strategy === 'direct') return [];
  const found = rollout.judge.metrics.map((metric, index) => ({ at: `rollout.judge.metrics[${index}].from`, metric }));
  if (rollout.strategy === 'ab') found.push({ at: 'rollout.outcome.from', metric: rollout.outcome });
  return found.flatMap(({ at, metric }) => (metric.metric === 'value' ? [{ at, metric }] : []));
}
