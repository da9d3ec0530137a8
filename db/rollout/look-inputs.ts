import { and, asc, eq, isNotNull, isNull, lt, notInArray, sql } from 'drizzle-orm';
import { keptDays } from '../../domain/serving/retention.js';
import { tellingLooks, type PastVerdict } from '../../domain/rollout/telling-looks.js';
import type { Database } from '../connect.js';
import { lookInputs, rolloutLooks, rollouts, rolloutSteering } from '../schema/index.js';

/** Rollouts a call: some hundreds of looks each. */
const batchMax = 50;

/**
 * Removes what the judge saw in looks of rollouts that ended long ago, all but the telling ones; verdicts and reasons
 * stay. Each rollout is one transaction, and is not asked for again.
 */
export async function thinLookInputs(db: Database): Promise<{ removed: number; more: boolean }> {
  const due = await db.orm
    .select({ id: rollouts.id })
    .from(rollouts)
    .where(
      and(
        isNotNull(rollouts.finishedAt),
        isNull(rollouts.looksThinnedAt),
        lt(rollouts.finishedAt, sql`now() - make_interval(days => ${keptDays.lookInputs})`),
      ),
    )
    .orderBy(asc(rollouts.finishedAt))
    .limit(batchMax);
  let removed = 0;
  for (const { id } of due) removed += await thin(db, id);
  return { removed, more: due.length === batchMax };
}

async function thin(db: Database, id: string): Promise<number> {
  return db.orm.transaction(async (tx) => {
    const { look, stage, at } = rolloutLooks;
    const verdict = sql<PastVerdict['verdict']>`${rolloutLooks.result} ->> 'verdict'`;
    const looks = await tx
      .select({ look, stage, at, verdict })
      .from(rolloutLooks)
      .where(eq(rolloutLooks.rolloutId, id))
      .orderBy(look);
    const acts = await tx
      .select({ at: rolloutSteering.at })
      .from(rolloutSteering)
      .where(eq(rolloutSteering.rolloutId, id));
    const telling = tellingLooks(
      looks,
      acts.map((act) => act.at),
    );
    const gone = await tx
      .delete(lookInputs)
      .where(and(eq(lookInputs.rolloutId, id), notInArray(lookInputs.look, telling)))
      .returning({ look: lookInputs.look });
    await tx
      .update(rollouts)
      .set({ looksThinnedAt: sql`now()` })
      .where(eq(rollouts.id, id));
    return gone.length;
  });
}
