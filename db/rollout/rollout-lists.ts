import { and, eq, getTableColumns } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { newestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import { lookInputs, rolloutLooks, rollouts } from '../schema/index.js';

export interface RolloutFilter extends PageRequest {
  model?: string | undefined;
  environment?: Environment | undefined;
}

const order = newestFirst(rollouts.startedAt, rollouts.id);

/** Rollouts, the newest first. */
export async function listRollouts(
  db: Database,
  { model, environment, limit, after }: RolloutFilter,
): Promise<Page<typeof rollouts.$inferSelect>> {
  const wanted = and(
    model === undefined ? undefined : eq(rollouts.model, model),
    environment === undefined ? undefined : eq(rollouts.environment, environment),
  );
  const rows = await db.orm
    .select({ ...getTableColumns(rollouts), key: order.key })
    .from(rollouts)
    .where(within(wanted, order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  return toPage(rows, limit);
}

/**
 * One rollout with the judge's looks, oldest first; their inputs are null where they are no longer kept.
 * @throws PerdureError `not-found`.
 */
export async function rolloutWithLooks(db: Database, id: string) {
  const [rollout] = await db.orm.select().from(rollouts).where(eq(rollouts.id, id));
  if (!rollout)
    throw new PerdureError(
      'not-found',
      `No rollout has the id ${id}. \`perdure rollout status MODEL\` shows the newest.`,
      { id },
    );
  const looks = await db.orm
    .select({ ...getTableColumns(rolloutLooks), inputs: lookInputs.inputs })
    .from(rolloutLooks)
    .leftJoin(lookInputs, and(eq(lookInputs.rolloutId, rolloutLooks.rolloutId), eq(lookInputs.look, rolloutLooks.look)))
    .where(eq(rolloutLooks.rolloutId, id))
    .orderBy(rolloutLooks.look);
  return { rollout, looks };
}
