import { logLossMaxNats } from '../../../domain/rollout/judge/losses.js';
import { lossMax } from '../../../domain/rollout/judge/metric-spec.js';
import type { JudgedMetric } from '../../../domain/rollout/judge/judge-policy.js';
import { declaredClasses, quantilesOf, taskOf } from '../../../domain/tasks/task-of.js';
import type { LossName } from '../../../domain/tasks/task.js';
import { quoteNumber, quoteText } from '../quote-sql.js';
import type { AnsweredLog } from './answer-values.js';

type QualityMetric = Extract<JudgedMetric, { metric: 'quality' }>;

/** Where a label stands beside its prediction, by the column of the log of labels. */
export const truthColumns = {
  label: '"log:truth"',
  label_class: '"log:class"',
  label_number: '"log:number"',
} as const;

/**
 * A loss as SQL over a prediction and its label, on the judge's scale of 0 to 1; null where the prediction says nothing
 * of it: it has no label, or is of a version of another shape.
 */
export function lossSql(metric: QualityMetric, log: AnsweredLog): string {
  const { labelColumn } = taskOf(log);
  if (labelColumn === null) return 'CAST(NULL AS DOUBLE)';
  const sql = sqlOf[labelColumn](metric, log)[metric.loss];
  return sql === undefined
    ? 'CAST(NULL AS DOUBLE)'
    : `CASE WHEN ${truthColumns[labelColumn]} IS NOT NULL THEN ${sql} END`;
}

type Losses = (metric: QualityMetric, log: AnsweredLog) => Partial<Record<LossName, string>>;

const logLoss = (chance: string) =>
  `least(greatest(-ln(greatest(${chance}, exp(-${logLossMaxNats}))), 0) / ${logLossMaxNats}, 1)`;

const sqlOf: Record<keyof typeof truthColumns, Losses> = {
  label: () => {
    const truth = 'CAST("log:truth" AS DOUBLE)';
    const chance = '"log:probability"';
    return {
      error: `CAST("log:label" <> "log:truth" AS DOUBLE)`,
      brier: `least((${chance} - ${truth}) * (${chance} - ${truth}), 1)`,
      logLoss: logLoss(`CASE WHEN "log:truth" THEN ${chance} ELSE 1 - ${chance} END`),
    };
  },
  label_class: (_metric, log) => {
    const chances = '"log:probabilities"';
    // A class that the version does not know has no chance.
    const chance = `coalesce(${chances}[list_position(${classesSql(log)}, "log:class")], 0)`;
    const half = `(list_dot_product(${chances}, ${chances}) - 2 * ${chance} + 1) / 2`;
    const known = (sql: string) => `CASE WHEN ${chances} IS NOT NULL THEN ${sql} END`;
    return {
      error: `CAST("log:predicted" <> "log:class" AS DOUBLE)`,
      brier: known(`least(greatest(${half}, 0), 1)`),
      logLoss: known(logLoss(chance)),
    };
  },
  label_number: (metric, { contract }) => {
    const max = quoteNumber(lossMax(metric));
    const bounded = (error: string) => `least(${error}, ${max}) / ${max}`;
    const error = '("log:value" - "log:number")';
    const quantiles = quantilesOf(contract);
    const { quantile = 0.5 } = metric;
    const place = quantiles.indexOf(quantile) + 1;
    const quantiled = `("log:number" - "log:quantiles"[${place}])`;
    const q = quoteNumber(quantile);
    const pinball = `greatest(${q} * ${quantiled}, (${q} - 1) * ${quantiled})`;
    return {
      absoluteError: bounded(`abs(${error})`),
      squaredError: bounded(`${error} * ${error}`),
      // Of another contract's quantiles nothing is known.
      pinball: `CASE WHEN len("log:quantiles") = ${quantiles.length} THEN ${bounded(pinball)} END`,
    };
  },
};

/** The classes of the prediction's version, as a list of texts in the order of its probabilities. */
function classesSql({ classes, contract }: AnsweredLog): string {
  const listed = (names: readonly (string | number)[]) =>
    `[${names.map((name) => quoteText(String(name))).join(', ')}]::VARCHAR[]`;
  const declared = declaredClasses(contract.label);
  if (declared !== undefined) return listed(declared);
  const cases = [...(classes ?? [])].map(([version, names]) => `WHEN ${version} THEN ${listed(names)}`);
  return cases.length === 0 ? listed([]) : `CASE "log:version" ${cases.join(' ')} END`;
}
