import { z } from 'zod';
import { actorSchema, environmentSchema } from '../../domain/names.js';
import { contractViewSchema } from './contract-view.js';

export const applyRequestSchema = z.strictObject({
  /** Model definitions as `defineModel` gives them. The API checks each again. */
  definitions: z.array(z.unknown()).max(200),
  /** Only say what would change. */
  plan: z.boolean().default(false),
  /** Retire known models that are not among the definitions. */
  prune: z.boolean().default(false),
  actor: actorSchema,
});
export type ApplyRequest = z.input<typeof applyRequestSchema>;

export const definitionChangeSchema = z.object({
  model: z.string(),
  change: z
    .enum(['created', 'changed', 'unchanged', 'retired', 'kept'])
    .describe('kept: known, not among the definitions, and left as it is without prune'),
  fromSha256: z.string().nullable(),
  toSha256: z.string().nullable(),
  /** Paths in the definition whose values differ, for example `training.parameters.num_leaves`. */
  changedPaths: z.array(z.string()),
  /** What callers would find in each environment that serves the model, from a version trained by this definition. */
  contracts: z
    .array(
      contractViewSchema.extend({
        environment: environmentSchema,
        refused: z.string().nullable().describe('why such a version would not come in'),
      }),
    )
    .optional(),
  /** Where it falls below what an environment asks: applied all the same, but no version is promoted there. */
  belowFloor: z.array(z.object({ environment: environmentSchema, problem: z.string() })).optional(),
});
export type DefinitionChange = z.infer<typeof definitionChangeSchema>;

const scheduleChangeSchema = z.object({
  id: z.string(),
  model: z.string().nullable(),
  cron: z.string().nullable(),
  timeZone: z.string().nullable(),
  paused: z.boolean().nullable(),
  /** The next firing, null for one that is removed. */
  nextFiring: z.string().nullable(),
});
export type ScheduleChange = z.infer<typeof scheduleChangeSchema>;

const applyWarningSchema = z.object({
  model: z.string(),
  /** In the definition, for example `contract.features.price.from`. */
  path: z.string(),
  message: z.string(),
});
export type ApplyWarning = z.infer<typeof applyWarningSchema>;

export const applyResultSchema = z.object({
  /** False for a plan. */
  applied: z.boolean(),
  definitions: z.array(definitionChangeSchema),
  /** What may be meant so and is worth a look: features that read what the label is made of. */
  warnings: z.array(applyWarningSchema).default([]),
  schedules: z.object({
    created: z.array(scheduleChangeSchema),
    changed: z.array(scheduleChangeSchema),
    removed: z.array(scheduleChangeSchema),
    unchanged: z.array(scheduleChangeSchema),
  }),
});
export type ApplyResult = z.infer<typeof applyResultSchema>;
