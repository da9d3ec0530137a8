import { z } from 'zod';
import type { Contract } from '../data/contract.js';
import type { LabelType } from '../data/label.js';
import type { DefinitionProblem } from '../definition-problem.js';

/** What a model predicts. `generation` comes with language models and is one more file here. */
export const taskNames = ['binary', 'multiclass', 'regression', 'ranking', 'embedding'] as const;
export const taskNameSchema = z.enum(taskNames);
export type TaskName = z.infer<typeof taskNameSchema>;

export type ClassName = string | number;

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

/**
 * Everything that differs from one kind of prediction to the next. Whoever needs to know asks the task of the
 * definition (`taskOf`), and does not compare its name.
 */
export interface Task {
  name: TaskName;
  /** Begins a sentence. */
  title: string;
  /** What the label may be; none where there is no label. */
  labelTypes: readonly LabelType[];
  /** Tensors of an answer, in the order in which they are sent. No feature may have the name of one. */
  outputs: (signature: OutputSignature) => OutputTensor[];
  /** What the graph must give, in the order of the scores of a row. */
  graphOutputs: (signature: OutputSignature) => GraphOutput[];
  /** What is wrong with a contract for this task, beyond the label's type. */
  problems: (contract: Contract) => DefinitionProblem[];
}
