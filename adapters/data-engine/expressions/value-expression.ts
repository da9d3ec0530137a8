import { valueTypeOf } from '../../../domain/data/feature/feature-value.js';
import type { ColumnType } from '../../../domain/data/data-policy.js';
import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { PerdureError } from '../../../domain/errors.js';
import type { JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import { bindExpressions } from './bind-expressions.js';
import type { DuckSession } from '../duck-session.js';
import { createExpressionParser } from './expression.js';
import { answerValues, rawAnswers, type AnsweredLog } from '../prediction-log/answer-values.js';
import { loggedFeature } from '../prediction-log/feature-columns.js';
import { quoteName } from '../quote-sql.js';
import { sameName, type ColumnSources } from './source-columns.js';

type ValueMetric = Extract<JudgedMetric, { metric: 'value' }>;

export const givesNumber = /^(U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|FLOAT|DOUBLE|DECIMAL\(.*\)|BOOLEAN)$/;

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

/**
 * Reads the `from` of value metrics: over one row, the features of the contract and what a prediction has beside them.
 */
export async function createValueExpressions(session: DuckSession, log: AnsweredLog): Promise<ValueExpressions> {
  const { contract } = log;
  const ownColumns = Object.fromEntries(Object.entries(answerValues(log)).map(([name, { type }]) => [name, type]));
  const columns: Record<string, ColumnType> = {};
  for (const [name, { type }] of Object.entries(contract.features)) {
    if (type === 'vector' || type === 'list') continue;
    columns[name] = type === 'text' ? 'string' : type;
  }
  const twofold = Object.keys(columns).filter((name) => Object.keys(ownColumns).some((own) => sameName(own, name)));
  Object.assign(columns, ownColumns);
  const source: ColumnSources = [{ name: 'prediction', columns }];
  const parser = createExpressionParser(session, source);
  return {
    async read({ name, from }) {
      const refuse = (problem: string) => new PerdureError('definition/invalid', `${name} = ${from}: ${problem}.`);
      const parsed = await parser.parse(from);
      if ('problem' in parsed) throw refuse(parsed.problem);
      const used = [...new Set(parsed.columns.map(({ column }) => column))];
      const unclear = used.find((column) => twofold.some((feature) => sameName(feature, column)));
      if (unclear !== undefined)
        throw refuse(`${unclear} is both a feature and a column of every prediction; rename the feature`);
      const [bound] = await bindExpressions(session, source, [parsed]);
      if (!bound || 'problem' in bound) throw refuse(bound?.problem ?? 'it cannot be computed');
      if (!givesNumber.test(bound.type)) throw refuse(`it gives ${bound.type}; it must give a number`);
      return { sql: `TRY(CAST(${parsed.sql} AS DOUBLE))`, features: used.filter((column) => !(column in ownColumns)) };
    },
  };
}

/** The select list that gives expressions their columns, from rows of the prediction log. */
export function predictionColumns(log: AnsweredLog, features: readonly string[]): string {
  const { contract } = log;
  const served = [...new Set(features)].map((name) => {
    const feature = contract.features[name];
    return `${loggedFeature(name, feature === undefined ? 'text' : valueTypeOf(feature))} AS ${quoteName(name)}`;
  });
  const own = Object.entries(answerValues(log)).map(([name, { sql }]) => `${sql} AS ${quoteName(name)}`);
  return [rawAnswers, ...own, ...served].join(', ');
}

/** What is wrong with the value metrics of a definition. */
export async function valueMetricProblems(
  session: DuckSession,
  definition: ModelDefinition,
): Promise<DefinitionProblem[]> {
  const metrics = valueMetricsOf(definition);
  if (metrics.length === 0) return [];
  const expressions = await createValueExpressions(session, definition);
  const problems: DefinitionProblem[] = [];
  for (const { at, metric } of metrics) {
    await expressions.read(metric).catch((error: unknown) => {
      if (!(error instanceof PerdureError) || error.code !== 'definition/invalid') throw error;
      problems.push({ path: at, message: error.message });
    });
  }
  return problems;
}

export const hasValueMetrics = (definition: ModelDefinition): boolean => valueMetricsOf(definition).length > 0;

function valueMetricsOf({ rollout }: ModelDefinition): { at: string; metric: ValueMetric }[] {
  if (rollout.strategy === 'direct') return [];
  const found = rollout.judge.metrics.map((metric, index) => ({ at: `rollout.judge.metrics[${index}].from`, metric }));
  if (rollout.strategy === 'ab') found.push({ at: 'rollout.outcome.from', metric: rollout.outcome });
  return found.flatMap(({ at, metric }) => (metric.metric === 'value' ? [{ at, metric }] : []));
}
