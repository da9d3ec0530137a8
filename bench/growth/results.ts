import type { Metrics } from '../../domain/metrics/measured.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { digestOf } from '../../domain/canonical-json.js';
import type { Observed } from '../../domain/rollout/judge/judge.js';
import { latencyBoundsMs, scoreBins } from '../../domain/serving/serving-window.js';

/** What an evaluation of the flights model finds. */
export const metrics: Metrics = {
  ...{ rocAuc: 0.9276, prAuc: 0.8, logLoss: 0.2389, brier: 0.07, calibrationError: 0.01 },
  ...{ accuracy: 0.9, precision: 0.8, recall: 0.6, f1: 0.69 },
};

export const gates = (['ranks delays', 'honest probabilities', 'no airport left behind'] as const).map((name) => ({
  ...{ name, metric: 'rocAuc' as const, outcome: 'pass' as const, value: 0.9276, interval: null },
  ...{ bound: 'at least 0.8', reason: '0.9276 is at least 0.8' },
}));

export function evaluationOf(candidateSha256: string): Evaluation {
  const interval = { low: 0.9, high: 0.93, confidencePct: 95 };
  const scored = { rows: 8_000, positives: 1_500, metrics, intervals: { rocAuc: interval, logLoss: interval } };
  const levels = ['EWR', 'JFK', 'LGA', 'UA', 'AA', 'DL', 'B6', 'EV', 'MQ', 'WN', 'US'];
  return {
    ...{
      holdoutSha256: digestOf('holdout'),
      candidateSha256,
      championSha256: null,
      championVersion: null,
      threshold: 0.5,
    },
    ...{ overall: scored, comparison: null, parityMaxDifference: 4e-7 },
    slices: levels.map((level) => ({
      feature: level.length === 3 ? 'origin' : 'carrier',
      level,
      scored,
      comparison: null,
    })),
    scoreHistogram: Array.from({ length: 20 }, () => 0.05),
    calibrationCurve: Array.from({ length: 20 }, (_, bin) => ({
      meanScore: bin / 20,
      observedShare: bin / 20,
      rows: 400,
    })),
    rocCurve: Array.from({ length: 100 }, (_, at) => ({
      falsePositiveRate: at / 100,
      truePositiveRate: Math.sqrt(at / 100),
    })),
  };
}

/** What a version of it does with so many requests. */
export function observed(requests: number): Observed {
  return { requests, errors: 0, latency: latencyOf(requests), scores: scoresOf(requests), samples: {} };
}

export const latencyOf = (requests: number): number[] =>
  Array.from({ length: latencyBoundsMs.length + 1 }, (_, bucket) => Math.floor(requests / 2 ** (bucket + 1)));

export const scoresOf = (requests: number): number[] =>
  Array.from({ length: scoreBins }, (_, bin) => Math.floor((requests * (scoreBins - bin)) / (scoreBins ** 2 / 2)));
