import path from 'node:path';
import { createFileCache } from '../../adapters/verified-file-cache.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { createRolloutLookActivities } from '../../activities/rollout/rollout-looks.js';
import type { ActivityDependencies } from '../../activities/dependencies.js';
import { createApiClient } from '../../client/http/api-client.js';
import type { TemporalHandle } from '../../client/connect.js';
import type { Database } from '../../db/connect.js';
import { loadPerdureConfig } from '../../perdure.config.js';
import { postgresControlPlane } from '../../serving/control-plane/postgres-control-plane.js';
import type { Figure } from '../figures/figure.js';
import { growthDefinitions } from './definitions.js';
import type { GrowthStack } from './growth-stack.js';
import { measured } from './measure.js';
import type { OpenWork } from './open-work.js';
import { modelName, type GrowthShape } from './shape.js';
import { addressOf } from '../../infra/embedded/stack-environment.js';

interface Place {
  stack: GrowthStack;
  shape: GrowthShape;
  db: Database;
  store: ObjectStore;
  temporal: TemporalHandle;
  open: OpenWork;
  /** The id of one of the first day. */
  prediction: string;
}

/** What `apply` takes in one request. */
const definitionsOfPlan = 100;

/** Plans, a look of the judge and a gateway's poll. */
export async function measureServing({
  stack,
  shape,
  db,
  store,
  temporal,
  open,
  prediction,
}: Place): Promise<Figure[]> {
  const api = createApiClient(stack.file.addresses.api);
  const model = modelName(shape, shape.models);
  const config = loadPerdureConfig({ ...stack.env, ...stack.file.env });
  const cache = createFileCache(store, path.join(stack.home, 'cache', 'growth'));
  const floors = { configured: config.floors.configured, file: config.floors.file };
  const deps: ActivityDependencies = {
    ...{ db, store, cache, temporal: temporal.client },
    config: { ...config, floors },
  };
  const { lookAtRollout } = createRolloutLookActivities(deps);
  const gateway = postgresControlPlane(db);
  const definitions = growthDefinitions(shape).slice(0, definitionsOfPlan);
  let look = 1_000;
  return [
    await measured({
      ...{ name: 'growth.plan.promotion', title: 'what promoting a version would take', limitMs: 1_000, rounds: 9 },
      once: () => api.promotionPlan(model, Math.max(1, shape.versions - 1), 'production'),
    }),
    await measured({
      ...{
        name: 'growth.plan.apply',
        title: `apply --plan of ${definitions.length} models`,
        limitMs: 1_000,
        rounds: 5,
      },
      once: () => api.apply({ definitions, plan: true, actor: 'ada@example.org' }),
    }),
    await measured({
      ...{
        name: 'growth.look',
        title: 'a look of the judge at a stage as old as everything',
        limitMs: 1_000,
        rounds: 9,
      },
      once: () =>
        lookAtRollout({
          ...open.rollout,
          look: (look += 1),
          elapsedSeconds: (shape.to.getTime() - shape.from.getTime()) / 1_000,
        }),
    }),
    await measured({
      ...{ name: 'growth.passport', title: 'the passport of a prediction of the first day', limitMs: 2_000, rounds: 5 },
      once: () => passport(addressOf(stack.file.addresses.gateways, 'production'), prediction),
    }),
    await measured({
      ...{ name: 'growth.poll', title: 'a poll of a gateway that has the routes', limitMs: 5, rounds: 101 },
      once: () => gateway.routeState('production'),
    }),
  ];
}

/** With its label: one that was not found would be quick. */
async function passport(gateway: string, id: string): Promise<void> {
  const response = await fetch(`${gateway}/v1/predictions/${id}`);
  const text = await response.text();
  if (!response.ok || !text.includes('"outcome":{')) throw new Error(`${id}: ${response.status} ${text.slice(0, 300)}`);
}
