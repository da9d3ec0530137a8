import { runTrainer } from '../../adapters/trainer/trainer.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import { trainerSpecOf } from '../../domain/model/trainer-spec.js';
import { trainerNameOf } from '../../domain/training/training-policy.js';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { finishRunStep, mustHaveStep, startRunStep, updateRun } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { writeOrder } from '../write-order.js';
import { trainerPrograms } from './trainer-programs.js';

export interface Trained {
  artifactSha256: string;
  environmentSha256: string;
  summary: string;
}

/**
 * Training: a trainer program on a snapshot. The same snapshot, definition and seed give the same artifact, so
 * repeating is harmless.
 */
export function createTrainingActivities(deps: ActivityDependencies) {
  const { db, store, cache, config } = deps;
  const programs = trainerPrograms(deps);
  return {
    async train({
      runId,
      definitionSha256,
      snapshotSha256,
    }: {
      runId: string;
      definitionSha256: string;
      snapshotSha256: string;
    }): Promise<Trained> {
      return withHeartbeat(async (signal, report) => {
        const claim = await startRunStep(db, { runId, step: 'train', writeOrder: writeOrder() });
        const definition = await definitionByDigest(db, definitionSha256);
        const manifest = await snapshotByDigest(db, snapshotSha256);
        const local = (files: PartitionFile[]) => Promise.all(files.map((file) => cache.fetch(file.key, file.sha256)));
        report('fetching the snapshot');
        const spec = trainerSpecOf(definition, await local(manifest.train), await local(manifest.holdout));
        const outDir = await makeWorkFolder(config.home, 'train');
        try {
          const trainer = await programs.prepare(definition.training, outDir, signal, report);
          const result = await runTrainer({
            ...trainer,
            spec,
            outDir,
            timeoutMs: definition.training.timeoutMinutes * 60_000,
            memoryMb: definition.training.memoryMb,
            signal,
            onProgress: ({ phase, fraction, message }) =>
              report(`${phase} ${Math.round(fraction * 100)} %: ${message}`),
          });
          const artifactKey = objectKeys.artifact(result.modelSha256);
          await store.putImmutable(artifactKey, { file: result.modelPath });
          await mustHaveStep(db, claim);
          await store.put(objectKeys.runFile(runId, 'holdout-native.parquet'), { file: result.nativePath });
          await store.put(objectKeys.runFile(runId, 'result.json'), JSON.stringify(result.report), {
            contentType: 'application/json',
          });
          await updateRun(db, claim, { artifactSha256: result.modelSha256 });
          const { rowsTrained, durationsMs } = result.report;
          const seconds = Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0) / 1000;
          const summary =
            `${trainerNameOf(definition.training)} fitted on ${rowsTrained} rows in ` +
            `${seconds.toFixed(1)} s: artifact ${result.modelSha256.slice(0, 12)}`;
          await finishRunStep(db, claim, summary);
          return {
            artifactSha256: result.modelSha256,
            environmentSha256: await programs.environmentSha256(definition.training),
            summary,
          };
        } finally {
          await removeWorkFolder(outDir);
        }
      });
    },
  };
}

export type TrainingActivities = ReturnType<typeof createTrainingActivities>;
