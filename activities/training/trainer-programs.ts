import path from 'node:path';
import {
  ownEnvironmentDigest,
  ownTrainer,
  trainerEnvironmentDigest,
  builtInTrainer,
  trainerFor,
  type TrainerProgram,
} from '../../adapters/trainer/trainer.js';
import { PerdureError } from '../../domain/errors.js';
import { objectKeys } from '../../domain/object-keys.js';
import { programSha256Of, type TrainingPolicy } from '../../domain/training/training-policy.js';
import type { ActivityDependencies } from '../dependencies.js';

/** The program that trains by a policy: one of the product's own, or the team's, as it was applied. */
export function trainerPrograms({ cache, config }: Pick<ActivityDependencies, 'cache' | 'config'>) {
  return {
    /** Of its libraries and its Python. */
    async environmentSha256(training: TrainingPolicy): Promise<string> {
      const archive = await archiveOf(training);
      return archive === undefined
        ? trainerEnvironmentDigest(trainerFor(training.algorithm, config.projectRoot))
        : ownEnvironmentDigest({ archive, projectRoot: config.projectRoot });
    },

    /** @param workDir where a program of the team's own is unpacked; it may go with the training */
    async prepare(
      training: TrainingPolicy,
      workDir: string,
      signal: AbortSignal,
      report: (progress: string) => void,
    ): Promise<TrainerProgram> {
      const archive = await archiveOf(training);
      const { projectRoot, home } = config;
      if (archive === undefined)
        return builtInTrainer({ algorithm: training.algorithm, projectRoot, home, signal, report });
      return ownTrainer({ archive, projectRoot, home, signal, report, folder: path.join(workDir, 'program') });
    },
  };

  async function archiveOf(training: TrainingPolicy): Promise<string | undefined> {
    if (training.program === undefined) return undefined;
    const sha256 = programSha256Of(training);
    if (sha256 === undefined)
      throw new PerdureError(
        'definition/invalid',
        'training.program: the definition names a folder and no digest. Apply it with `perdure apply`, which sends ' +
          'the program.',
      );
    return cache.fetch(objectKeys.trainerProgram(sha256), sha256);
  }
}
