import { defaultEnvironment, knownEnvironment } from '../../domain/promotion/environments.js';
import { PerdureError } from '../../domain/errors.js';
import { environmentBefore, whyNotAskedFor } from '../../domain/promotion/promotion-preconditions.js';
import { whyStaysOut } from '../../domain/data/snapshot/row-sample.js';
import { promoteRequestSchema } from '../../domain/workflow-inputs.js';
import { rulesInForce } from '../../db/model/definition-queries.js';
import { mustHaveShadows } from '../../db/rollout/rollout-facts.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { runById } from '../../db/training/run-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { archivedVersions } from '../../db/model/version-archive.js';
import type { ActivityDependencies } from '../dependencies.js';
import { parseInput } from '../parse-input.js';

/** What `promoteModel` was started with, and the policy that it follows: refused before anybody is asked. */
export function createPromoteInputActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    async parsePromoteRequest(input: unknown) {
      const {
        model,
        version,
        environment: asked,
        requestedBy,
        alsoShadow,
      } = parseInput(promoteRequestSchema, input, 'promoteModel', { model: 'flight-delay', version: 1 });
      const { sample } = await runById(db, (await versionOf(db, model, version)).runId);
      const away = (await archivedVersions(db, model, [version])).get(version);
      if (away)
        throw new PerdureError(
          'state/conflict',
          `${model}@${version} is archived (${away.actor}: ${away.reason}). Bring it back first: perdure ` +
            `versions unarchive ${model}@${version}.`,
        );
      const { promotion: policy, rollout } = (await rulesInForce(db, model)).definition;
      const environment =
        asked ?? sample?.environment ?? policy.environments[0] ?? defaultEnvironment(config.environments);
      knownEnvironment(config.environments, environment);
      // Told when it is asked for, and not after people have approved it.
      await mustHaveShadows(db, { environment, model, version, alsoShadow, strategy: rollout.strategy });
      const earlier = environmentBefore(policy, environment);
      const before =
        earlier === undefined ? undefined : { environment: earlier, route: await routeOf(db, earlier, model) };
      const stays = whyStaysOut(sample, environment);
      if (stays !== null) throw new PerdureError('promotion/refused', `${model}@${version} is not promoted: ${stays}.`);
      const refusal = whyNotAskedFor({ model, version, environment }, policy, before);
      if (refusal) throw new PerdureError(refusal.code, refusal.message);
      return {
        model,
        version,
        environment,
        requestedBy,
        alsoShadow,
        policy,
        /** Whether it goes no further than this environment, whatever the policy says. */
        stays: sample !== null,
        expiresInMs: policy.expireAfterHours * 3_600_000,
      };
    },
  };
}
