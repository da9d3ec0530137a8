import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { runTrainer, trainerEnvironmentDigest, trainerFor } from '../adapters/trainer/trainer.js';
import { definitionDigest } from '../domain/model/model-definition.js';
import type { Partition } from '../domain/partition.js';
import { trainerSpecOf } from '../domain/model/trainer-spec.js';
import flightDelay from '../models/flight-delay/model.js';
import { shapedMonth } from './flight-data.js';

/**
 * The flight-delay model as the product trains it, on one month of flights: 200 trees of 31 leaves on 19 features.
 * Trained once and kept in `home`; the name says by what it was made, so that a change of definition or trainers trains
 * again.
 */
export async function trainedModel(
  projectRoot: string,
  home: string,
  month: Partition,
  holdoutMonth: Partition,
): Promise<string> {
  const trainer = trainerFor(flightDelay.training.algorithm, projectRoot);
  const environment = await trainerEnvironmentDigest(trainer);
  const folder = path.join(home, 'models');
  const kept = path.join(
    folder,
    `flight-delay-${month}-${definitionDigest(flightDelay).slice(0, 12)}-${environment.slice(0, 12)}.onnx`,
  );
  if (await stat(kept).catch(() => undefined)) return kept;
  const data = path.join(home, 'flights');
  const train = await shapedMonth(projectRoot, data, month);
  const holdout = await shapedMonth(projectRoot, data, holdoutMonth);
  await mkdir(folder, { recursive: true });
  const outDir = await mkdtemp(path.join(folder, 'train-'));
  try {
    const { modelPath } = await runTrainer({
      ...trainer,
      spec: trainerSpecOf(flightDelay, [train], [holdout]),
      outDir,
      timeoutMs: flightDelay.training.timeoutMinutes * 60_000,
      memoryMb: flightDelay.training.memoryMb,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    await rename(modelPath, kept);
  } finally {
    await rm(outDir, { recursive: true, force: true });
  }
  return kept;
}
