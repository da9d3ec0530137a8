import { metricName, type JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import type { AnsweredLog } from './answer-values.js';
import { lossSql } from './loss-sql.js';
import { quoteNumber } from '../quote-sql.js';
import type { ValueExpressions } from '../expressions/value-expression.js';

/** A metric as SQL over a prediction and its label as it was received, in one of `truthColumns`. */
export interface LoggedMetric {
  name: string;
  /** Between 0 and 1; null for a prediction that says nothing of the metric. */
  sql: string;
  features: string[];
}

/**
 * The metrics that are read from the prediction log and the labels; the others, which gateways count themselves, are
 * left out.
 */
export async function loggedMetrics(
  metrics: readonly JudgedMetric[],
  log: AnsweredLog,
  expressions: ValueExpressions,
): Promise<LoggedMetric[]> {
  const logged: LoggedMetric[] = [];
  for (const metric of metrics) {
    const name = metricName(metric);
    if (metric.metric === 'value') {
      const { sql, features } = await expressions.read(metric);
      const scaled = scaledTo(sql, metric);
      logged.push({ name, features, sql: `CASE WHEN ${sql} IS NOT NULL AND NOT isnan(${sql}) THEN ${scaled} END` });
    } else if (metric.metric === 'quality') {
      logged.push({ name, features: [], sql: lossSql(metric, log) });
    } else if (metric.metric === 'outcome') {
      logged.push({ name, features: [], sql: outcomeSql(metric) });
    }
  }
  return logged;
}

function outcomeSql({ min, max }: Extract<JudgedMetric, { metric: 'outcome' }>): string {
  if (min === undefined || max === undefined) return `CAST("log:truth" AS DOUBLE)`;
  return `CASE WHEN "log:number" IS NOT NULL THEN ${scaledTo('"log:number"', { min, max })} END`;
}

function scaledTo(sql: string, { min, max }: { min: number; max: number }): string {
  const clipped = `least(greatest(${sql}, ${quoteNumber(min)}), ${quoteNumber(max)})`;
  return `(${clipped} - ${quoteNumber(min)}) / ${quoteNumber(max - min)}`;
}
