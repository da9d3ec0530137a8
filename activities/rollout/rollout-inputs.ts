import { knownEnvironment } from '../../domain/promotion/environments.js';
import { planRollback } from '../../domain/rollout/rollback-target.js';
import { PerdureError } from '../../domain/errors.js';
import { reviewRequestSchema, rollbackRequestSchema, rolloutRequestSchema } from '../../domain/workflow-inputs.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { runningRollout } from '../../db/rollout/rollout-queries.js';
import { pastOfRollback } from '../../db/rollout/champion-history.js';
import type { ActivityDependencies } from '../dependencies.js';
import { parseInput } from '../parse-input.js';

/** What `rolloutModel`, `reviewRollout` and `rollbackModel` were started with. */
export function createRolloutInputActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    async parseRolloutRequest(input: unknown) {
      const { promotionId, ...request } = parseInput(rolloutRequestSchema, input, 'rolloutModel', {
        model: 'flight-delay',
        version: 2,
      });
      knownEnvironment(config.environments, request.environment);
      await versionOf(db, request.model, request.version);
      return { ...request, promotionId: promotionId ?? null };
    },

    async parseReviewRequest(input: unknown) {
      return parseInput(reviewRequestSchema, input, 'reviewRollout', {
        rolloutId: 'the id that `perdure rollout status` shows',
      });
    },

    async parseRollbackRequest(input: unknown) {
      const { to, epoch, ...request } = parseInput(rollbackRequestSchema, input, 'rollbackModel', {
        model: 'flight-delay',
        reason: 'why',
      });
      const { environment, model } = request;
      knownEnvironment(config.environments, environment);
      const route = await routeOf(db, environment, model);
      // A model that was retired and is still served can be rolled back.
      if (!route) await definitionInForce(db, model);
      if (!route)
        throw new PerdureError(
          'not-found',
          `${request.model} is not served in ${request.environment}: there is nothing to roll back to.`,
        );
      if (to !== undefined) await versionOf(db, model, to);
      const rollout = await runningRollout(db, environment, model);
      // Asked before anything is touched: a rollback that has nowhere to go stops no rollout.
      const asked = { environment, model, to: to ?? null, leaves: epoch ?? route.epoch };
      const { version } = planRollback(...(await pastOfRollback(db, asked)), {
        ...asked,
        undoes: rollout?.champion ?? null,
      });
      return {
        ...request,
        to: to ?? null,
        leaves: epoch ?? route.epoch,
        undoes: rollout ? { champion: version, workflowId: rollout.workflowId } : null,
      };
    },
  };
}
