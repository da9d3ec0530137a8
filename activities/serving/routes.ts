import { PerdureError } from '../../domain/errors.js';
import type { LeaseGrant } from '../../domain/lease-holder.js';
import type { Environment } from '../../domain/names.js';
import { stageAt } from '../../domain/rollout/rollout-plan.js';
import { writerOfKey, type RouteWriter } from '../../domain/serving/route-writer.js';
import { rolesOf } from '../../domain/promotion/access.js';
import { readAccessFile } from '../../adapters/access-file.js';
import { routeOfStage } from '../../domain/rollout/strategy-stages.js';
import type { Split } from '../../domain/serving/route.js';
import { rolloutById } from '../../db/rollout/rollout-queries.js';
import { writeRoute } from '../../db/serving/route-queries.js';
import type { ActivityDependencies } from '../dependencies.js';

export interface RouteToWrite {
  environment: Environment;
  model: string;
  target: { split: Split } | { rolloutId: string; stage: number };
  reason: string;
  idempotencyKey: string;
  lease: LeaseGrant;
  /** Who advanced, aborted or rolled back; absent where the judge or the policy moves it. */
  by?: { actor: string };
}

/** Routes, written under the fencing token of who moves traffic. */
export function createRouteActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    /**
     * Puts a route in force, that of a rollout's stage or a whole one; keyed, so that it is written once.
     * @throws PerdureError `lease/lost`.
     */
    async writeRoute({ target, ...asked }: RouteToWrite): Promise<{ epoch: number }> {
      const write = { ...asked, writtenBy: await writerOf({ target, ...asked }) };
      // Once a rollout has written its way back, a stage that was left behind, by a cancellation for example, comes too
      // late.
      const unlessWritten = 'stage' in target ? `${target.rolloutId}/back` : undefined;
      const { epoch } = await writeRoute(db, { ...write, ...(await targetOf(target)), unlessWritten });
      return { epoch };
    },
  };

  /**
   * What writes the route, and with which roles its cause acted. An access file that cannot be read keeps nobody from
   * going back.
   */
  async function writerOf({ target, by, idempotencyKey }: RouteToWrite): Promise<RouteWriter | undefined> {
    const writer =
      'stage' in target ? { kind: 'stage' as const, rolloutId: target.rolloutId } : writerOfKey(idempotencyKey);
    if (!writer) return undefined;
    const access = by === undefined ? null : await readAccessFile(config.accessFile).catch(() => null);
    return { ...writer, actor: by?.actor ?? null, roles: by && access ? rolesOf(access, by.actor) : null };
  }

  async function targetOf(target: RouteToWrite['target']) {
    if ('split' in target) return target;
    const rollout = await rolloutById(db, target.rolloutId);
    if (!rollout?.settled) throw new PerdureError('not-found', `rollout ${target.rolloutId} was never settled`);
    return routeOfStage(stageAt(rollout.settled, target.stage), rollout.settled.parties);
  }
}

export type RouteActivities = ReturnType<typeof createRouteActivities>;
