import { readNumbers } from '../../adapters/data-engine/read-numbers.js';
import { PerdureError } from '../../domain/errors.js';
import { chooseThreshold } from '../../domain/evaluation/choose-threshold.js';
import type { EvaluationPolicy } from '../../domain/evaluation/evaluation-policy.js';

/**
 * The threshold that the policy asks for, on the training rows as models scored them that had not seen them. The
 * holdout has no part in it.
 * @throws PerdureError `training/failed`: the trainer did not write a chance for each training row
 */
export async function thresholdOutOfFold(
  {
    policy,
    ...read
  }: {
    policy: EvaluationPolicy;
    /** The column of a yes-or-no label. */
    label: string;
    trainFiles: readonly string[];
    outOfFoldPath: string;
    folder: string;
  },
  signal?: AbortSignal,
): Promise<number> {
  const { folder } = read;
  const chances = await readNumbers({ files: [read.outOfFoldPath], column: 'probability', folder }, signal);
  const labels = await readNumbers({ files: read.trainFiles, column: read.label, folder }, signal);
  if (chances.length !== labels.length)
    throw new PerdureError(
      'training/failed',
      `The trainer wrote ${chances.length} rows into out-of-fold.parquet for ${labels.length} training rows.`,
    );
  const wrong = chances.findIndex((chance) => !(chance >= 0 && chance <= 1));
  if (wrong !== -1)
    throw new PerdureError(
      'training/failed',
      `The probability of training row ${wrong} in out-of-fold.parquet is ${chances[wrong]}, which is none.`,
    );
  return chooseThreshold(policy, Uint8Array.from(labels), chances);
}
