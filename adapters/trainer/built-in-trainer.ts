import type { Algorithm } from '../../domain/training/training-policy.js';
import { trainerEnvironment } from './trainer-environment.js';
import { trainerEnvironmentDigest, trainerFor, type TrainerProgram } from './trainer-program.js';

/** The program for an algorithm, with its environment, which is made where it is not there yet. */
export async function builtInTrainer(asked: {
  algorithm: Algorithm;
  projectRoot: string;
  /** Under which environments are kept. */
  home: string;
  signal: AbortSignal;
  report: (progress: string) => void;
}): Promise<TrainerProgram> {
  const { algorithm, ...where } = asked;
  const program = trainerFor(algorithm, where.projectRoot);
  if (!program.madeOnDemand) return program;
  const { lockFile } = program;
  const sha256 = await trainerEnvironmentDigest(program);
  return { ...program, python: await trainerEnvironment({ ...where, lockFile, sha256, leavesOut: true }) };
}
