import { runTrainer } from '../../adapters/trainer/trainer.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import type { Imported } from '../../domain/imported-model.js';
import { objectKeys } from '../../domain/object-keys.js';
import { foldsOf } from '../../domain/data/snapshot/folds.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { PartitionFile } from '../../domain/data/snapshot/snapshot.js';
import { trainerSpecOf } from '../../domain/model/trainer-spec.js';
import { trainerNameOf } from '../../domain/training/training-policy.js';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { finishRunStep, mustHaveStep, startRunStep, updateRun } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { writeOrder } from '../write-order.js';
import { thresholdOutOfFold } from './threshold-out-of-fold.js';
import { trainerInputs, type TrainerInputs } from './trainer-inputs.js';
import { trainerPrograms } from './trainer-programs.js';

export interface Trained {
  artifactSha256: string;
  environmentSha256: string;
  summary: string;
  /** Chosen on training rows that the model had not seen; absent where the policy gives a number. */
  threshold?: number;
  /** Of a model that was made elsewhere. */
  imported?: Imported;
}

export interface TrainedFold {
  fold: number;
  artifactSha256: string;
  summary: string;
}

interface RunSnapshot {
  runId: string;
  definitionSha256: string;
  snapshotSha256: string;
}

interface Asked {
  definition: ModelDefinition;
  train: PartitionFile[];
  holdout: PartitionFile[];
  /** Of a cross-validation: only its artifact counts. */
  asFold?: boolean;
}

type Fitted = Awaited<ReturnType<typeof runTrainer>>;

/**
 * Training: a trainer program on a snapshot. The same snapshot, definition and seed give the same artifact, so
 * repeating is harmless.
 */
export function createTrainingActivities(deps: ActivityDependencies) {
  const { db, store, config } = deps;
  const programs = trainerPrograms(deps);
  return {
    async train({ runId, definitionSha256, snapshotSha256 }: RunSnapshot): Promise<Trained> {
      return withHeartbeat(async (signal, report) => {
        const claim = await startRunStep(db, { runId, step: 'train', writeOrder: writeOrder() });
        const definition = await definitionByDigest(db, definitionSha256);
        const manifest = await snapshotByDigest(db, snapshotSha256);
        return fit({ definition, ...manifest }, signal, report, async (result, threshold) => {
          await mustHaveStep(db, claim);
          await store.put(objectKeys.runFile(runId, 'holdout-native.parquet'), { file: result.nativePath });
          await store.put(objectKeys.runFile(runId, 'result.json'), JSON.stringify(result.report), {
            contentType: 'application/json',
          });
          await updateRun(db, claim, { artifactSha256: result.modelSha256 });
          const chosen = threshold === undefined ? '' : `, threshold ${threshold.toFixed(4)} chosen out of fold`;
          const summary = `${summaryOf(definition, result)}${chosen}`;
          await finishRunStep(db, claim, summary);
          return {
            artifactSha256: result.modelSha256,
            environmentSha256: await programs.environmentSha256(definition.training),
            summary,
            ...(threshold !== undefined && { threshold }),
          };
        });
      });
    },

    /** The model that has not seen a fold; nothing but its artifact is kept. */
    async trainFold({
      runId,
      definitionSha256,
      snapshotSha256,
      fold,
    }: RunSnapshot & { fold: number }): Promise<TrainedFold> {
      return withHeartbeat(async (signal, report) => {
        await startRunStep(db, { runId, step: 'train', writeOrder: writeOrder() });
        const definition = await definitionByDigest(db, definitionSha256);
        const folds = foldsOf(await snapshotByDigest(db, snapshotSha256));
        const own = folds.find(({ number }) => number === fold);
        if (!own) throw new PerdureError('input/invalid', `The snapshot has no fold ${fold}.`, { fold });
        const { train, holdout } = own;
        return fit({ definition, train, holdout, asFold: true }, signal, report, async (result) => ({
          fold,
          artifactSha256: result.modelSha256,
          summary: `fold ${folds.indexOf(own) + 1} of ${folds.length}: ${summaryOf(definition, result)}`,
        }));
      });
    },
  };

  /** Trains on files and keeps the artifact; what else is kept is for `keep` to say. */
  async function fit<Kept>(
    { definition, train, holdout, asFold }: Asked,
    signal: AbortSignal,
    report: (progress: string) => void,
    keep: (result: Fitted, threshold: number | undefined) => Promise<Kept>,
  ): Promise<Kept> {
    const { training } = definition;
    const outDir = await makeWorkFolder(config.home, 'train');
    try {
      report('fetching the snapshot');
      const label = definition.contract.label?.name;
      const inputs = await trainerInputs(deps, { train, holdout, label, folder: outDir }, signal);
      const whole = trainerSpecOf(definition, inputs.trainFiles, inputs.holdoutFiles);
      // The threshold of a version is that of the model that is registered.
      const spec = asFold ? { ...whole, outOfFold: undefined } : whole;
      const trainer = await programs.prepare(training, outDir, signal, report);
      const result = await runTrainer({
        ...trainer,
        spec,
        outDir,
        timeoutMs: training.timeoutMinutes * 60_000,
        memoryMb: training.memoryMb,
        signal,
        onProgress: ({ phase, fraction, message }) => report(`${phase} ${Math.round(fraction * 100)} %: ${message}`),
      });
      await store.putImmutable(objectKeys.artifact(result.modelSha256), { file: result.modelPath });
      return await keep(result, await thresholdOf(definition, result, inputs, outDir, signal));
    } finally {
      await removeWorkFolder(outDir);
    }
  }
}

async function thresholdOf(
  { contract, evaluation }: ModelDefinition,
  { outOfFoldPath }: Fitted,
  { trainFiles }: TrainerInputs,
  folder: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  if (outOfFoldPath === null || contract.label === undefined) return undefined;
  const { name: label } = contract.label;
  return thresholdOutOfFold({ policy: evaluation, label, trainFiles, outOfFoldPath, folder }, signal);
}

function summaryOf({ training }: ModelDefinition, { report, modelSha256 }: Fitted): string {
  const { rowsTrained, durationsMs } = report;
  const seconds = Object.values(durationsMs).reduce((sum, ms) => sum + ms, 0) / 1000;
  return (
    `${trainerNameOf(training)} fitted on ${rowsTrained} rows in ${seconds.toFixed(1)} s: ` +
    `artifact ${modelSha256.slice(0, 12)}`
  );
}

export type TrainingActivities = ReturnType<typeof createTrainingActivities>;
