import { randomUUID } from 'node:crypto';
import { acquireLease, releaseLease } from '../../db/lease-queries.js';
import { newestRoute, routeOf, writeRoute } from '../../db/serving/route-queries.js';
import { PerdureError } from '../../domain/errors.js';
import { leaseNames } from '../../domain/ids.js';
import { holderText, parseHolder } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import type { Route } from '../../domain/serving/route.js';
import type { ApiDeps } from '../deps.js';
import { mayRetire, mustHaveRole } from '../must-have-role.js';

export interface RetireOrder {
  model: string;
  environments: readonly Environment[];
  actor: string;
  reason: string;
}

/**
 * Ends a model's service: gateways unload it and answer 404; its versions and the history of its routes stay. Repeating
 * it changes nothing.
 * @throws PerdureError `access/denied` for an actor without the role; `state/conflict` while a rollout of the model is
 * under way; `not-found` when it was never served.
 */
export async function retireModel(
  { db, accessFile }: ApiDeps,
  { model, environments, actor, reason }: RetireOrder,
): Promise<Route[]> {
  await mustHaveRole(accessFile, actor, mayRetire, `end the service of ${model}`);
  const ended: Route[] = [];
  for (const environment of environments) {
    const route = await routeOf(db, environment, model);
    if (route) ended.push(await endRoute(db, route, { by: actor, reason }));
  }
  if (ended.length > 0) return ended;
  const newest = await Promise.all(environments.map((environment) => newestRoute(db, environment, model)));
  const before = newest.filter((route) => route?.ended !== undefined).flatMap((route) => route ?? []);
  if (before.length === 0)
    throw new PerdureError(
      'not-found',
      `model: ${model} is not served in ${environments.join(' or ') || 'any environment'}.`,
      { model },
    );
  return before;
}

async function endRoute(db: ApiDeps['db'], route: Route, end: NonNullable<Route['ended']>): Promise<Route> {
  const { environment, model, split, epoch } = route;
  const name = leaseNames.rollout(environment, model);
  const taken = await acquireLease(
    db,
    name,
    holderText({ workflowId: `end-of-service/${environment}/${model}`, runId: randomUUID() }),
  );
  if (!('grant' in taken))
    throw new PerdureError(
      'state/conflict',
      `${parseHolder(taken.heldBy).workflowId} is changing ${model} in ${environment}. Abort it or wait for its ` +
        `end (perdure rollout abort ${model}), then retire the model.`,
      { model, environment },
    );
  try {
    return await writeRoute(db, {
      ...{ environment, model, split, ended: end, lease: taken.grant },
      reason: `service ended by ${end.by}: ${end.reason}`,
      idempotencyKey: `end-of-service/${environment}/${model}/${epoch}`,
    });
  } finally {
    await releaseLease(db, taken.grant);
  }
}
