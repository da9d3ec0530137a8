import { metricOfKey, type MetricSpec } from './metric.js';

const share = { least: 0, greatest: 1 } as const;
const loss = { better: 'smaller', least: 0, greatest: Infinity } as const;
const atK = { qualifier: 'k', need: 'must' } as const;

/**
 * Every metric of every task, in the order of reports. By scikit-learn's meaning where it knows the metric. Each is
 * `null`, never a number, where the rows do not define it; `docs/metrics.md` says when.
 */
export const metricCatalogue = {
  rocAuc: { name: 'rocAuc', title: 'ROC AUC', better: 'greater', ...share },
  prAuc: { name: 'prAuc', title: 'Average precision', better: 'greater', ...share },
  macroF1: { name: 'macroF1', title: 'Macro F1', better: 'greater', ...share },
  balancedAccuracy: { name: 'balancedAccuracy', title: 'Balanced accuracy', better: 'greater', ...share },
  logLoss: { name: 'logLoss', title: 'Log loss', ...loss },
  brier: { name: 'brier', title: 'Brier score', ...loss, greatest: 1 },
  calibrationError: { name: 'calibrationError', title: 'Calibration error', ...loss, greatest: 1 },
  accuracy: { name: 'accuracy', title: 'Accuracy', better: 'greater', ...share },
  precision: { name: 'precision', title: 'Precision', better: 'greater', ...share },
  recall: { name: 'recall', title: 'Recall', better: 'greater', ...share },
  f1: { name: 'f1', title: 'F1', better: 'greater', ...share },
  utility: { name: 'utility', title: 'Utility a row', better: 'greater', least: -Infinity, greatest: Infinity },
  mae: { name: 'mae', title: 'Mean absolute error', ...loss },
  rmse: { name: 'rmse', title: 'Root mean squared error', ...loss },
  medianAbsoluteError: { name: 'medianAbsoluteError', title: 'Median absolute error', ...loss },
  r2: { name: 'r2', title: 'R²', better: 'greater', least: -Infinity, greatest: 1 },
  mape: { name: 'mape', title: 'Mean absolute percentage error', ...loss },
  smape: { name: 'smape', title: 'Symmetric percentage error', ...loss, greatest: 2 },
  pinball: { name: 'pinball', title: 'Pinball loss', ...loss, takes: { qualifier: 'quantile', need: 'may' } },
  intervalCoverage: { name: 'intervalCoverage', title: 'Interval coverage', better: 'nearer', ...share },
  intervalWidth: { name: 'intervalWidth', title: 'Interval width', ...loss },
  ndcg: { name: 'ndcg', title: 'NDCG', better: 'greater', ...share, takes: atK },
  recallAtK: { name: 'recallAtK', title: 'Recall', better: 'greater', ...share, takes: atK },
  mapAtK: { name: 'mapAtK', title: 'Mean average precision', better: 'greater', ...share, takes: atK },
  mrr: { name: 'mrr', title: 'Mean reciprocal rank', better: 'greater', ...share },
} as const satisfies Record<string, MetricSpec>;

export type MetricName = keyof typeof metricCatalogue;

const order = Object.keys(metricCatalogue);

export const isMetricName = (name: string): name is MetricName => Object.hasOwn(metricCatalogue, name);

/** Keys of a report as people read them: in the order above; a team's own metrics come last, by name. */
export function inReportOrder(keys: readonly string[]): string[] {
  const place = (key: string) => {
    const known = order.indexOf(metricOfKey(key));
    return known === -1 ? order.length : known;
  };
  return keys.toSorted(
    (left, right) => place(left) - place(right) || left.localeCompare(right, 'en', { numeric: true }),
  );
}

/** As people read it: `F1 of setosa`, `NDCG at 10`, `Pinball loss at 0.9`; a team's own by its name. */
export function metricTitle(key: string): string {
  const name = metricOfKey(key);
  const title = isMetricName(name) ? metricCatalogue[name].title : name;
  const qualifier = key.slice(name.length + 1);
  if (qualifier === '') return title;
  return key[name.length] === '@' ? `${title} at ${qualifier}` : `${title} of ${qualifier}`;
}
