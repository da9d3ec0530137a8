import { metricName, type JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import { quoteNumber } from '../quote-sql.js';
import type { ValueExpressions } from '../expressions/value-expression.js';

/** Nats beyond which a log loss counts no more: one confident mistake must not decide alone. */
const logLossMax = 10;

/** A metric as SQL over a prediction and `"log:truth"`, its label as it was received. */
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
  expressions: ValueExpressions,
): Promise<LoggedMetric[]> {
  const logged: LoggedMetric[] = [];
  for (const metric of metrics) {
    const name = metricName(metric);
    if (metric.metric === 'value') {
      const { sql, features } = await expressions.read(metric);
      const clipped = `least(greatest(${sql}, ${quoteNumber(metric.min)}), ${quoteNumber(metric.max)})`;
      const scaled = `(${clipped} - ${quoteNumber(metric.min)}) / ${quoteNumber(metric.max - metric.min)}`;
      logged.push({ name, features, sql: `CASE WHEN ${sql} IS NOT NULL AND NOT isnan(${sql}) THEN ${scaled} END` });
    } else if (metric.metric === 'quality') {
      logged.push({ name, features: [], sql: `CASE WHEN "log:truth" IS NOT NULL THEN ${lossSql[metric.loss]} END` });
    } else if (metric.metric === 'outcome') {
      logged.push({ name, features: [], sql: `CAST("log:truth" AS DOUBLE)` });
    }
  }
  return logged;
}

const truth = 'CAST("log:truth" AS DOUBLE)';
const ofTruth = 'CASE WHEN "log:truth" THEN probability ELSE 1 - probability END';

const lossSql = {
  error: `CAST(label <> "log:truth" AS DOUBLE)`,
  brier: `least((probability - ${truth}) * (probability - ${truth}), 1)`,
  logLoss: `least(greatest(-ln(greatest(${ofTruth}, exp(-${logLossMax}))), 0) / ${logLossMax}, 1)`,
};
