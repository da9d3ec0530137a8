import type { FoldSpread } from '../../domain/evaluation/fold-spread.js';
import { foldSpread } from '../../domain/evaluation/fold-spread.js';
import { measureSettings } from '../../domain/evaluation/measure-settings.js';
import { rowsWhere, type ScoredRows } from '../../domain/metrics/measurer.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import type { OutputSignature } from '../../domain/tasks/task.js';
import type { EvaluationRequest } from './evaluation-request.js';
import type { HoldoutReader } from './holdout-reader.js';
import { readModelFile } from './model-session.js';
import { openScorer } from './scorer.js';
import { checkTensorInterface } from './tensor-interface-check.js';

export interface FoldScores {
  /** Of each row by the model that has not seen it. */
  scores: Float32Array;
  /** The place in `request.folds` of each row's model. */
  foldOf: Int32Array;
}

/** Scores each file of the holdout with the model of its fold; one model is open at a time. */
export async function scoreFolds(
  request: EvaluationRequest,
  reader: HoldoutReader,
  signature: OutputSignature,
): Promise<FoldScores> {
  const { holdout, folds = [] } = request;
  const byFile: Float32Array[] = holdout.map(() => new Float32Array());
  const rowsOf: number[] = holdout.map(() => 0);
  const foldOfFile: number[] = holdout.map(() => -1);
  for (const [place, fold] of folds.entries()) {
    const model = await readModelFile(fold);
    checkTensorInterface(model.info, request);
    const scorer = await openScorer(model, taskOf(request).graphOutputs(signature));
    try {
      for (const index of fold.holdout) {
        const parts: Float32Array[] = [];
        for await (const batch of reader.batches(holdout[index]?.path ?? '')) {
          parts.push(await scorer.score(batch.columns, batch.rows));
          rowsOf[index] = (rowsOf[index] ?? 0) + batch.rows;
        }
        byFile[index] = concatenated(parts);
        foldOfFile[index] = place;
      }
    } finally {
      await scorer.close();
    }
  }
  const foldOf = Int32Array.from(rowsOf.flatMap((rows, index) => Array<number>(rows).fill(foldOfFile[index] ?? -1)));
  return { scores: concatenated(byFile), foldOf };
}

/** Each metric over the folds, at the threshold of the version. */
export function spreadOfFolds(
  request: EvaluationRequest,
  {
    rows,
    foldOf,
    signature,
    threshold,
  }: { rows: ScoredRows; foldOf: Int32Array; signature: OutputSignature; threshold: number },
): FoldSpread {
  const settings = measureSettings(request.policy, signature, threshold);
  const task = taskOf(request);
  const folds = (request.folds ?? []).map((_, place) => {
    const own = rowsWhere(rows, (row) => foldOf[row] === place);
    return { rows: own.labels.length, metrics: task.measurer(own, settings).measure() };
  });
  return foldSpread(folds);
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let place = 0;
  for (const part of parts) {
    all.set(part, place);
    place += part.length;
  }
  return all;
}
