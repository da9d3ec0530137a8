import { z } from 'zod';
import { sha256Schema } from '../names.js';
import { runPriorities } from './run-priority.js';

export const algorithmSchema = z.enum(['lightgbm', 'xgboost', 'sklearn', 'catboost']);
export type Algorithm = z.infer<typeof algorithmSchema>;

const programFolderSchema = z
  .string()
  .max(200)
  .regex(/^\.(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/, "must be a folder inside the model's own, such as './trainer'");

export const trainingPolicySchema = z.strictObject({
  algorithm: algorithmSchema.default('lightgbm'),
  /**
   * A trainer of the team's own instead of `algorithm`: its folder, beside the model's file. As applied it also names
   * the program's digest, so that a definition means one program for ever.
   */
  program: z
    .union([programFolderSchema, z.strictObject({ folder: programFolderSchema, sha256: sha256Schema })])
    .optional(),
  /** Passed to the trainer, which refuses names it does not know. */
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])).default({}),
  seed: z.number().int().min(0).max(2_147_483_647).default(42),
  threads: z.number().int().min(1).max(64).default(2),
  timeoutMinutes: z.number().positive().max(1440).default(30),
  memoryMb: z.number().int().min(512).default(4096),
  /**
   * Which runs go first, 1 before 5, where nobody waits for one. What its cause says when absent; see
   * `run-priority.ts`.
   */
  priority: z.number().int().min(runPriorities.first).max(runPriorities.last).optional(),
});
export type TrainingPolicy = z.infer<typeof trainingPolicySchema>;

/** The program that an applied definition trains with; undefined for one of the product's own. */
export const programSha256Of = ({ program }: Pick<TrainingPolicy, 'program'>): string | undefined =>
  typeof program === 'object' ? program.sha256 : undefined;

/** What trains, for people. */
export const trainerNameOf = ({ algorithm, program }: Pick<TrainingPolicy, 'algorithm' | 'program'>): string => {
  if (program === undefined) return algorithm;
  return typeof program === 'string' ? program : program.folder;
};
