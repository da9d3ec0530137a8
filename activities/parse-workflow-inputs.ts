import type { z } from 'zod';
import { planRollback } from '../domain/rollout/rollback-target.js';
import { runPriority } from '../domain/training/run-priority.js';
import { changedDefinition } from '../domain/model/changed-definition.js';
import { PerdureError } from '../domain/errors.js';
import type { Environment } from '../domain/names.js';
import type { SchemaIssue } from '../domain/schema-issue.js';
import {
  promoteRequestSchema,
  reviewRequestSchema,
  rollbackRequestSchema,
  rolloutRequestSchema,
  trainRequestSchema,
} from '../domain/workflow-inputs.js';
import { describeIssues } from '../domain/schema-issue.js';
import { definitionInForce, keepDefinition, rulesInForce } from '../db/model/definition-queries.js';
import { mustHaveShadows } from '../db/rollout/rollout-facts.js';
import { routeOf } from '../db/serving/route-queries.js';
import { versionOf } from '../db/model/version-queries.js';
import { runningRollout } from '../db/rollout/rollout-queries.js';
import { archivedVersions } from '../db/model/version-archive.js';
import { championPast } from '../db/rollout/champion-history.js';
import type { ActivityDependencies } from './dependencies.js';

/**
 * Checks what a workflow was started with and fills in what follows from it. Local activities: a bad input fails at
 * once, naming the field.
 */
export function createRequestActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    async parseTrainRequest(input: unknown) {
      const { model, until, cause, set, force } = parse(trainRequestSchema, input, 'trainModel', {
        model: 'flight-delay',
      });
      const inForce = await definitionInForce(db, model);
      const changed = Object.keys(set).length > 0;
      const definitionSha256 = changed
        ? await keepDefinition(db, changedDefinition(inForce.definition, set))
        : inForce.sha256;
      return {
        model,
        until: until ?? null,
        cause,
        force,
        definitionSha256,
        // By the applied definition: a run does not put itself before others.
        priority: runPriority(cause.kind, inForce.definition.training.priority, config.training.highestPriority),
        ignoreWatermark: changed,
      };
    },

    async parsePromoteRequest(input: unknown) {
      const {
        model,
        version,
        environment: asked,
        requestedBy,
        alsoShadow,
      } = parse(promoteRequestSchema, input, 'promoteModel', { model: 'flight-delay', version: 1 });
      await versionOf(db, model, version);
      const away = (await archivedVersions(db, model, [version])).get(version);
      if (away)
        throw new PerdureError(
          'state/conflict',
          `${model}@${version} is archived (${away.actor}: ${away.reason}). Bring it back first: perdure ` +
            `versions unarchive ${model}@${version}.`,
        );
      const { promotion: policy, rollout } = (await rulesInForce(db, model)).definition;
      // Told when it is asked for, and not after people have approved it.
      await mustHaveShadows(db, { model, version, alsoShadow, strategy: rollout.strategy });
      const environment = asked ?? policy.environments[0] ?? 'production';
      if (!policy.environments.includes(environment)) {
        throw new PerdureError(
          'input/invalid',
          `environment: the policy of ${model} knows ${policy.environments.join(', ')}, not ${environment}. ` +
            'Add it to promotion.environments.',
        );
      }
      const before = policy.environments[policy.environments.indexOf(environment) - 1];
      if (before && !(await hasServed(model, version, before))) {
        throw new PerdureError(
          'state/conflict',
          `${model}@${version} must be champion in ${before} before it is promoted to ${environment}: ` +
            'promote it there first.',
        );
      }
      return {
        model,
        version,
        environment,
        requestedBy,
        alsoShadow,
        policy,
        expiresInMs: policy.expireAfterHours * 3_600_000,
      };
    },

    async parseRolloutRequest(input: unknown) {
      const { promotionId, ...request } = parse(rolloutRequestSchema, input, 'rolloutModel', {
        model: 'flight-delay',
        version: 2,
      });
      await versionOf(db, request.model, request.version);
      return { ...request, promotionId: promotionId ?? null };
    },

    async parseReviewRequest(input: unknown) {
      return parse(reviewRequestSchema, input, 'reviewRollout', {
        rolloutId: 'the id that `perdure rollout status` shows',
      });
    },

    async parseRollbackRequest(input: unknown) {
      const { to, epoch, ...request } = parse(rollbackRequestSchema, input, 'rollbackModel', {
        model: 'flight-delay',
        reason: 'why',
      });
      const { environment, model } = request;
      const route = await routeOf(db, environment, model);
      // A model that was retired and is still served can be rolled back.
      if (!route) await definitionInForce(db, model);
      if (!route)
        throw new PerdureError(
          'not-found',
          `${request.model} is not served in ${request.environment}: there is nothing to go back to.`,
        );
      if (to !== undefined) await versionOf(db, model, to);
      const rollout = await runningRollout(db, environment, model);
      // Asked before anything is touched: a rollback that has nowhere to go stops no rollout.
      const { history, rollouts } = await championPast(db, environment, model);
      const { version } = planRollback(history, rollouts, {
        model,
        to: to ?? null,
        undoes: rollout?.champion ?? null,
        leaves: epoch ?? route.epoch,
      });
      return {
        ...request,
        to: to ?? null,
        leaves: epoch ?? route.epoch,
        undoes: rollout ? { champion: version, workflowId: rollout.workflowId } : null,
      };
    },
  };

  async function hasServed(model: string, version: number, environment: Environment): Promise<boolean> {
    const route = await routeOf(db, environment, model);
    return route?.split.length === 1 && route.split[0]?.version === version;
  }
}

export type RequestActivities = ReturnType<typeof createRequestActivities>;

function parse<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  workflow: string,
  example: Record<string, unknown>,
): z.output<Schema> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const issues: SchemaIssue[] = parsed.error.issues;
  throw new PerdureError(
    'input/invalid',
    `The input of ${workflow} is not valid: ${describeIssues(issues)}. A valid one: ${JSON.stringify(example)}`,
  );
}
