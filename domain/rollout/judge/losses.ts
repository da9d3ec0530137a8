import type { LossName } from '../../tasks/task.js';

/** The log loss is clipped here, in nats, so that it has bounds: one confident mistake must not decide alone. */
export const logLossMaxNats = 10;

/** A loss of one prediction against its label: lower is better, and it has bounds, for the judge's limits need them. */
export interface Loss {
  /** Begins a sentence. */
  title: string;
  unit: 'percent' | 'nats' | 'plain';
  /** The greatest that counts; null where the metric must say it (`max`), for an error has no bound of its own. */
  max: number | null;
  /** What to expect of its mean by the metrics of a holdout; undefined where they do not tell. */
  ofHoldout: (
    metrics: Readonly<Record<string, number | null | undefined>>,
    quantile: number,
  ) => number | null | undefined;
}

export const losses: Record<LossName, Loss> = {
  error: {
    ...{ title: 'Share of wrong predictions', unit: 'percent', max: 1 },
    ofHoldout: ({ accuracy }) => (typeof accuracy === 'number' ? 1 - accuracy : accuracy),
  },
  brier: {
    ...{ title: 'Brier score', unit: 'plain', max: 1 },
    // Of several classes a holdout's is the sum over them, 0 to 2; the judge halves it, and one scale holds for all.
    ofHoldout: ({ brier, macroF1 }) => (typeof brier === 'number' && macroF1 !== undefined ? brier / 2 : brier),
  },
  logLoss: { title: 'Log loss', unit: 'nats', max: logLossMaxNats, ofHoldout: ({ logLoss }) => logLoss },
  absoluteError: { title: 'Mean absolute error', unit: 'plain', max: null, ofHoldout: ({ mae }) => mae },
  squaredError: {
    ...{ title: 'Mean squared error', unit: 'plain', max: null },
    ofHoldout: ({ rmse }) => (typeof rmse === 'number' ? rmse * rmse : rmse),
  },
  pinball: {
    ...{ title: 'Pinball loss', unit: 'plain', max: null },
    ofHoldout: (metrics, quantile) => metrics[`pinball@${quantile}`],
  },
};
