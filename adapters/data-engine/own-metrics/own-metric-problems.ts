import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import type { DuckSession } from '../duck-session.js';
import { parseAggregate } from '../expressions/aggregate-expression.js';
import { bindExpressions } from '../expressions/bind-expressions.js';
import { givesNumber } from '../expressions/value-expression.js';
import { ambiguous, ownMetricSources, type MeasuredModel } from './own-metric-columns.js';

/** What is wrong with the SQL of a definition's own metrics. */
export async function ownMetricProblems(
  session: DuckSession,
  definition: ModelDefinition,
): Promise<DefinitionProblem[]> {
  const problems: DefinitionProblem[] = [];
  for (const [name, { sql }] of Object.entries(definition.evaluation.metrics ?? {})) {
    const read = await readOwnMetric(session, definition, sql);
    if ('problem' in read) problems.push({ path: `evaluation.metrics.${name}.sql`, message: read.problem });
  }
  return problems;
}

/** The SQL of an own metric and the columns that it reads, once nothing is wrong with it. */
export async function readOwnMetric(
  session: DuckSession,
  model: MeasuredModel,
  text: string,
): Promise<{ sql: string; columns: string[] } | { problem: string }> {
  const sources = ownMetricSources(model);
  const parsed = await parseAggregate(session, sources, text);
  if ('problem' in parsed) return parsed;
  const columns = [...new Set(parsed.columns.map(({ column }) => column))];
  const twofold = ambiguous(model, columns);
  if (twofold !== undefined)
    return { problem: `${twofold} is both a feature and a column of every prediction; rename the feature` };
  const [bound] = await bindExpressions(session, sources, [parsed]);
  if (!bound || 'problem' in bound) return { problem: bound?.problem ?? 'it cannot be computed' };
  if (!givesNumber.test(bound.type)) return { problem: `it gives ${bound.type}; it must give a number` };
  return { sql: parsed.sql, columns };
}
