import { z } from 'zod';
import type { CostMatrix } from '../metrics/cost-matrix.js';
import type { Scored } from '../metrics/measured.js';
import type { EvaluationSections } from '../metrics/measured.js';
import type { MetricSpec } from '../metrics/metric.js';
import type { Measurer, ScoredRows } from '../metrics/measurer.js';
import type { Contract } from '../data/contract.js';
import type { LabelType } from '../data/label.js';
import type { Scores } from './scores.js';
import type { DefinitionProblem } from '../definition-problem.js';

/** What a model predicts. `generation` comes with language models and is one more file here. */
export const taskNames = ['binary', 'multiclass', 'regression', 'ranking', 'embedding'] as const;
export const taskNameSchema = z.enum(taskNames);
export type TaskName = z.infer<typeof taskNameSchema>;

export const classNameSchema = z.union([z.string(), z.int()]);
export type ClassName = z.infer<typeof classNameSchema>;

/** A loss of one prediction against its label: `domain/rollout/judge/losses.ts`. */
export const lossNames = ['error', 'brier', 'logLoss', 'absoluteError', 'squaredError', 'pinball'] as const;
export type LossName = (typeof lossNames)[number];

/** What of a version decides the shape of its answers. */
export interface OutputSignature {
  /** Of a classifier, in the order of `probabilities`; a boolean label has 0 and 1. */
  classes: readonly ClassName[];
  /** Probabilities of the quantiles that a regression answers with, rising. */
  quantiles: readonly number[];
  /** Numbers in an embedding; 0 where the contract does not say. */
  length: number;
}

/** One tensor of an answer, as callers get it. */
export interface OutputTensor {
  name: string;
  datatype: 'INT64' | 'BYTES' | 'FP32';
  /** Values a row; null for exactly one, with the shape `[-1]`. */
  width: number | null;
}

/** One output of the model's graph, FP32 of shape `[-1, width]`. Together, side by side, they are a row of scores. */
export interface GraphOutput {
  name: string;
  width: number;
  /** What its numbers are: finite ones, chances from 0 to 1, or quantiles, which rise within a row. */
  holds: 'numbers' | 'chances' | 'quantiles';
}

/** A column of the prediction log that holds numbers of a row of scores. */
export interface LoggedOutput {
  column: 'probability' | 'probabilities' | 'value' | 'quantiles' | 'score' | 'embedding';
  /** Place of its first number among the scores of a row. */
  from: number;
  /** How many it holds as a list; null for one number. */
  width: number | null;
  /** What one number of the list is called in expressions, with its place behind it: `probability_0`. */
  each?: string;
  /** Too long to be kept: instead of the list its Euclidean norm and its SHA-256 are logged. */
  digested?: true;
}

/** By which number of a row two versions' answers are compared, and how gateways count it. */
export interface ComparedNumber {
  /** Equal bins of [0, 1], or the sketch of `unbounded-bins.ts`. */
  bins: 'unit' | 'unbounded';
  of: (scores: Scores, row: number) => number;
}

/** What an evaluation needs beside labels and scores. */
export interface MeasureSettings {
  signature: OutputSignature;
  /** The chance from which a row is predicted positive. */
  threshold: number;
  costs?: CostMatrix | undefined;
  /** How many rows of a group count, for metrics that ask. */
  ks: readonly number[];
  /** Classes that are also measured one by one. */
  classes: readonly ClassName[];
}

/** A number that the native model wrote for a row, and where ONNX says the same. */
export interface NativeColumn {
  /** Of `holdout-native.parquet`. */
  name: string;
  /** In a row of scores. */
  place: number;
  /** Whether differences are taken relative to the number's size, where that is above 1. */
  relative: boolean;
}

/** A metric that no honest model of a real problem reaches. */
export interface ImplausibleMetric {
  key: string;
  from: number;
  /** Fewer rows may reach it by chance. */
  rowsMin: number;
}

/**
 * Everything that differs from one kind of prediction to the next. Whoever needs to know asks the task of the
 * definition (`taskOf`), and does not compare its name.
 */
export interface Task {
  name: TaskName;
  /** Begins a sentence. */
  title: string;
  /** Whether the label is one of several classes, whose chances are answered. */
  labelsAreClasses: boolean;
  /** Whether a class is said by a threshold on a score. */
  hasThreshold: boolean;
  /** What it answers with, for people. */
  answers: (label: string) => string;
  /** What the label may be; none where there is no label. */
  labelTypes: readonly LabelType[];
  /** Tensors of an answer, in the order in which they are sent. No feature may have the name of one. */
  outputs: (signature: OutputSignature) => OutputTensor[];
  /** What the graph must give, in the order of the scores of a row. */
  graphOutputs: (signature: OutputSignature) => GraphOutput[];
  /** Place of the class that is predicted for each row; null where there are no classes. */
  predictedClasses: ((scores: Scores, threshold: number) => Int32Array) | null;
  /** Where the prediction log holds the predicted class: as true or false, or by its name; null where there is none. */
  predictedColumn: 'label' | 'predicted' | null;
  /** Where the log of labels holds what really happened; null where there is nothing to send. */
  labelColumn: 'label' | 'label_class' | 'label_number' | null;
  /** What the prediction log holds of the scores of a row. */
  logged: (signature: OutputSignature) => LoggedOutput[];
  compared: ComparedNumber;
  /** What the judge can measure of one prediction and its label. */
  losses: readonly LossName[];
  /** What the judge can make of labels alone: a share of positive ones, a mean within bounds, or nothing. */
  outcome: 'share' | 'mean' | null;
  /** What is wrong with a contract for this task, beyond the label's type. */
  problems: (contract: Contract) => DefinitionProblem[];
  /** The least that a label may be, where a lesser one has no meaning. */
  leastLabel?: number;
  /** What an evaluation measures, in the order of reports. Empty where there is no label to measure against. */
  metrics: readonly MetricSpec[];
  /** Keys of the metrics that lists and one-line summaries show; the first is the main one. */
  headline: readonly string[];
  measurer: (rows: ScoredRows, settings: MeasureSettings) => Measurer;
  /** What is counted of the rows besides. */
  counts: (rows: ScoredRows) => Pick<Scored, 'positives' | 'groups'>;
  /** Tables and points for the evaluation's report. */
  sections: (rows: ScoredRows, settings: MeasureSettings) => EvaluationSections;
  /** Where a score that only a leak or an easy problem explains begins. */
  implausible?: ImplausibleMetric;
  /** What the trainer writes of the native model, for the parity gate. */
  nativeColumns: (signature: OutputSignature) => NativeColumn[];
}
