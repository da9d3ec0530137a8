import { and, desc, eq } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { Database } from '../connect.js';
import { rolloutLooks, rollouts } from '../schema/index.js';

export interface RolloutFilter {
  model?: string | undefined;
  environment?: Environment | undefined;
  limit: number;
}

/** Rollouts, the newest first. */
export async function listRollouts(
  db: Database,
  { model, environment, limit }: RolloutFilter,
): Promise<(typeof rollouts.$inferSelect)[]> {
  return db.orm
    .select()
    .from(rollouts)
    .where(
      and(
        model === undefined ? undefined : eq(rollouts.model, model),
        environment === undefined ? undefined : eq(rollouts.environment, environment),
      ),
    )
    .orderBy(desc(rollouts.startedAt), rollouts.id)
    .limit(limit);
}

/** One rollout with the judge's looks, oldest first. @throws PerdureError `not-found`. */
export async function rolloutWithLooks(db: Database, id: string) {
  const [rollout] = await db.orm.select().from(rollouts).where(eq(rollouts.id, id));
  if (!rollout)
    throw new PerdureError(
      'not-found',
      `No rollout has the id ${id}. \`perdure rollout status MODEL\` shows the newest.`,
      { id },
    );
  const looks = await db.orm
    .select()
    .from(rolloutLooks)
    .where(eq(rolloutLooks.rolloutId, id))
    .orderBy(rolloutLooks.look);
  return { rollout, looks };
}
