import { z } from 'zod';
import { digestOf } from '../canonical-json.js';
import { contractSchema } from '../data/contract.js';
import { dataPolicySchema } from '../data/data-policy.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { PerdureError } from '../errors.js';
import { evaluationPolicySchema } from '../evaluation/evaluation-policy.js';
import { monitoringPolicySchema } from '../monitoring/monitoring-policy.js';
import { inWordsOfToday } from './older-definitions.js';
import { modelNameSchema } from '../names.js';
import { promotionPolicySchema } from '../promotion/promotion-policy.js';
import { rolloutPolicySchema } from '../rollout/rollout-policy.js';
import { issuePath } from '../schema-issue.js';
import { taskNameSchema } from '../tasks/task.js';
import { trainingPolicySchema } from '../training/training-policy.js';
import { triggerPolicySchema } from '../triggers/trigger-policy.js';

/**
 * The newest way of writing a definition. What later product versions learn is optional there and absent until it is
 * written: see `schemaVersion`.
 */
export const newestSchemaVersion = 1;

export const modelDefinitionSchema = z
  .strictObject({
    /**
     * Whose defaults fill in what is not written; 1 when absent. A field that the product learns later is optional and
     * never filled in here, so that a definition of before keeps its digest; what its absence means is said where the
     * field is used.
     */
    schemaVersion: z
      .number()
      .int()
      .min(1)
      .max(
        newestSchemaVersion,
        `is newer than what this version of Perdure reads (${newestSchemaVersion}): upgrade Perdure, or ` +
          `write it for ${newestSchemaVersion}`,
      )
      .optional(),
    name: modelNameSchema,
    description: z.string().min(1).max(2000),
    owner: z.string().min(1).max(200),
    /** What the model predicts; `binary` when absent. */
    task: taskNameSchema.optional(),
    contract: contractSchema,
    data: dataPolicySchema,
    training: trainingPolicySchema.prefault({}),
    evaluation: evaluationPolicySchema,
    promotion: promotionPolicySchema.prefault({}),
    rollout: rolloutPolicySchema,
    monitoring: monitoringPolicySchema.prefault({}),
    triggers: triggerPolicySchema.prefault({}),
  })
  .superRefine((definition, context) => {
    const features = definition.contract.features;
    const known = (name: string) => name in features;
    for (const [index, slice] of definition.evaluation.slices.entries()) {
      if (!known(slice))
        context.addIssue({
          code: 'custom',
          path: ['evaluation', 'slices', index],
          message: `${slice} is not a feature of the contract`,
        });
    }
    for (const [index, gate] of definition.evaluation.gates.entries()) {
      if (gate.slice !== undefined && !definition.evaluation.slices.includes(gate.slice)) {
        context.addIssue({
          code: 'custom',
          path: ['evaluation', 'gates', index, 'slice'],
          message: `${gate.slice} is not one of evaluation.slices`,
        });
      }
    }
    const names = definition.evaluation.gates.map((gate) => gate.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index)
        context.addIssue({
          code: 'custom',
          path: ['evaluation', 'gates', index, 'name'],
          message: `two gates are called ${name}`,
        });
    }
  });

/** A parsed definition: plain data, every default filled in. */
export type ModelDefinition = z.infer<typeof modelDefinitionSchema>;
/** What a team writes. */
export type ModelDefinitionInput = z.input<typeof modelDefinitionSchema>;

/**
 * Reads a definition that was applied once: its shape only, so that checks that were added since never make it
 * unreadable.
 * @throws PerdureError `definition/invalid`.
 */
export function readDefinition(value: unknown): ModelDefinition {
  const parsed = modelDefinitionSchema.safeParse(inWordsOfToday(value));
  if (parsed.success) return parsed.data;
  const named = value !== null && typeof value === 'object' && 'name' in value ? String(value.name) : 'without a name';
  throw invalidDefinition(
    named,
    parsed.error.issues.map((issue) => ({ path: issuePath(issue.path), message: issue.message })),
  );
}

/** One error for everything that is wrong with a definition, each problem with its path. */
export function invalidDefinition(name: string, problems: readonly DefinitionProblem[]): PerdureError {
  const lines = problems.map(({ path, message }) => `  ${path || '(root)'}: ${message}`);
  return new PerdureError('definition/invalid', `The definition of model ${name} is not valid:\n${lines.join('\n')}`, {
    problems,
  });
}

/** The SHA-256 of the canonical JSON of a parsed definition: its identity. */
export function definitionDigest(definition: ModelDefinition): string {
  return digestOf(definition);
}
