import { rowCount, rowsWhere, type Measurer, type ScoredRows } from '../metrics/measurer.js';
import { pairedBootstrap } from '../metrics/paired-bootstrap.js';
import type { SliceLevels } from '../statistics/slice-levels.js';
import type { MeasureSettings, OutputSignature, Task } from '../tasks/task.js';
import type { Metrics } from '../metrics/measured.js';
import type { Scored } from '../metrics/measured.js';
import type { Comparison } from '../metrics/measured.js';
import type { EvaluationSections } from '../metrics/measured.js';
import type { Evaluation } from './evaluation.js';
import type { EvaluationPolicy } from './evaluation-policy.js';
import { measureSettings } from './measure-settings.js';

export interface ScoredHoldout {
  task: Task;
  /** Labels and the candidate's scores. */
  rows: ScoredRows;
  signature: OutputSignature;
  /** The chance from which the candidate predicts yes; of the task `binary` alone. */
  threshold: number;
  /** The champion's scores of the same rows, classes in the candidate's order; null where there is none. */
  champion: (Pick<ScoredRows, 'scores' | 'width'> & { signature: OutputSignature; threshold: number }) | null;
  slices: readonly SliceLevels[];
  seed: number;
}

export type ScoresEvaluation = Pick<Evaluation, 'overall' | 'comparison' | 'slices'> & EvaluationSections;

/** Levels with fewer rows than this get no interval, unless a gate asks for fewer. */
const sliceRowsMin = 200;
/**
 * Levels that are reported of one feature, the largest first; all that have enough rows for an interval are, however
 * many.
 */
const levelsMax = 100;

/**
 * Everything that an evaluation says of scores and labels, as the task measures them. The champion is measured at the
 * threshold that it is served with. The same input gives the same result.
 * @throws RangeError when a score is not finite
 */
export function evaluateScores(
  holdout: ScoredHoldout,
  policy: EvaluationPolicy,
  onProgress: (donePct: number) => void = () => {},
): ScoresEvaluation {
  const { task, rows, signature, threshold, champion } = holdout;
  const models: Models = {
    task,
    candidate: measureSettings(policy, signature, threshold),
    champion: champion && measureSettings(policy, champion.signature, champion.threshold),
    confidencePct: policy.confidencePct,
    seed: holdout.seed,
  };
  const both = { rows, champion: champion && { ...rows, scores: champion.scores, width: champion.width } };
  const overall = evaluateRows(both, models, policy.bootstrapRounds);
  const parts = holdout.slices.length + 1;
  onProgress(100 / parts);
  const slices: Evaluation['slices'] = [];
  for (const [index, slice] of holdout.slices.entries()) {
    const enough = Math.min(
      sliceRowsMin,
      ...policy.gates.filter((gate) => gate.slice === slice.feature).map((gate) => gate.minRows),
    );
    for (const { level, code, rows: size } of largestLevels(slice, enough)) {
      const inside = (row: number) => slice.codes[row] === code;
      const within = { rows: rowsWhere(rows, inside), champion: both.champion && rowsWhere(both.champion, inside) };
      const resamples = size >= enough ? policy.bootstrapRounds : 0;
      slices.push({ feature: slice.feature, level, ...evaluateRows(within, models, resamples) });
    }
    onProgress((100 * (index + 2)) / parts);
  }
  return {
    overall: overall.scored,
    comparison: overall.comparison,
    slices,
    ...task.sections(rows, models.candidate),
  };
}

interface Models {
  task: Task;
  candidate: MeasureSettings;
  champion: MeasureSettings | null;
  confidencePct: number;
  seed: number;
}

/** @param resamples of the bootstrap; none for no intervals */
function evaluateRows(
  { rows, champion: others }: { rows: ScoredRows; champion: ScoredRows | null },
  { task, candidate, champion, confidencePct, seed }: Models,
  resamples: number,
): { scored: Scored; comparison: Comparison | null } {
  const own = task.measurer(rows, candidate);
  const against = others && champion && task.measurer(others, champion);
  const intervals =
    resamples > 0
      ? pairedBootstrap({ candidate: own, champion: against, resamples, confidencePct, seed })
      : { candidate: {}, differences: {} };
  const metrics = metricsOf(own);
  const scored: Scored = {
    rows: rowCount(rows),
    ...task.counts(rows),
    ...(haveOneLabel(rows.labels) && { oneLabel: true }),
    metrics,
    intervals: intervals.candidate,
  };
  if (!against) return { scored, comparison: null };
  const theirs = metricsOf(against);
  return {
    scored,
    comparison: { champion: theirs, differences: differencesOf(metrics, theirs, intervals.differences) },
  };
}

const haveOneLabel = (labels: Float64Array): boolean =>
  labels.length > 0 && labels.every((label) => label === labels[0]);

/** All metrics as plain JSON: `null` where one is not defined. */
export function metricsOf(measurer: Measurer): Metrics {
  const measured = Object.entries(measurer.measure());
  return Object.fromEntries(measured.map(([key, value]) => [key, Number.isFinite(value) ? value : null]));
}

export function differencesOf(
  candidate: Metrics,
  champion: Metrics,
  intervals: Scored['intervals'],
): Comparison['differences'] {
  const differences: Comparison['differences'] = {};
  for (const [key, interval] of Object.entries(intervals)) {
    const { [key]: own = null } = candidate;
    const { [key]: other = null } = champion;
    if (own !== null && other !== null) differences[key] = { estimate: own - other, interval };
  }
  return differences;
}

/** Levels by falling number of rows, then by name. */
function largestLevels(slice: SliceLevels, enough: number): { level: string; code: number; rows: number }[] {
  const counts = new Array<number>(slice.levels.length).fill(0);
  for (const code of slice.codes) counts[code]!++;
  return slice.levels
    .map((level, code) => ({ level, code, rows: counts[code] ?? 0 }))
    .sort((left, right) => right.rows - left.rows || (left.level < right.level ? -1 : 1))
    .filter(({ rows }, place) => place < levelsMax || rows >= enough);
}
