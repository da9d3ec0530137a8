import { z } from 'zod';
import { runPriorities } from './run-priority.js';

export const algorithmSchema = z.enum(['lightgbm', 'xgboost', 'sklearn']);
export type Algorithm = z.infer<typeof algorithmSchema>;

export const trainingPolicySchema = z.strictObject({
  algorithm: algorithmSchema.default('lightgbm'),
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
