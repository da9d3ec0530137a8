import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { promoteRequestSchema } from '../../domain/workflow-inputs.js';
import { rulesInForce } from '../../db/model/definition-queries.js';
import { mustHaveShadows } from '../../db/rollout/rollout-facts.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { archivedVersions } from '../../db/model/version-archive.js';
import type { ActivityDependencies } from '../dependencies.js';
import { parseInput } from '../parse-input.js';
import type { Database } from '../../db/connect.js';

/** What `promoteModel` was started with, and the policy that it follows: refused before anybody is asked. */
export function createPromoteInputActivities({ db }: Pick<ActivityDependencies, 'db'>) {
  return {
    async parsePromoteRequest(input: unknown) {
      const {
        model,
        version,
        environment: asked,
        requestedBy,
        alsoShadow,
      } = parseInput(promoteRequestSchema, input, 'promoteModel', { model: 'flight-delay', version: 1 });
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
      if (before && !(await hasServed(db, model, version, before))) {
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
  };
}

async function hasServed(db: Database, model: string, version: number, environment: Environment): Promise<boolean> {
  const route = await routeOf(db, environment, model);
  return route?.split.length === 1 && route.split[0]?.version === version;
}
