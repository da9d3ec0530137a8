import { and, desc, eq, exists, inArray, isNull, lte, sql } from 'drizzle-orm';
import { digestOf } from '../../domain/canonical-json.js';
import type { StageJudgement } from '../../domain/rollout/judge/judge.js';
import type { Environment } from '../../domain/names.js';
import type { LateLabelReview } from '../../domain/rollout/late-label-review.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import { PerdureError } from '../../domain/errors.js';
import type { RolloutState } from '../../domain/rollout/move-after-look.js';
import type { RolloutOutcome } from '../../domain/rollout/champion-history.js';
import { rolloutMoves } from '../../domain/rollout/rollout-moves.js';
import { isEnd, openStates } from '../../domain/state-moves.js';
import { storableText } from '../../domain/text/plain-text.js';
import type { Database } from '../connect.js';
import { lookInputs, rolloutLooks, rollouts } from '../schema/index.js';

export type RolloutRecord = typeof rollouts.$inferSelect;

const open = openStates(rolloutMoves);

/** Records that a rollout began; once per id: what was settled first stands, and is returned. */
export async function openRollout(
  db: Database,
  rollout: {
    id: string;
    workflowId: string;
    environment: Environment;
    model: string;
    challenger: number;
    champion: number | null;
    promotionId: string | null;
    settled: SettledRollout;
  },
): Promise<SettledRollout> {
  await db.orm
    .insert(rollouts)
    .values({ ...rollout, state: 'running', stage: 0 })
    .onConflictDoNothing();
  return (await rolloutById(db, rollout.id))?.settled ?? rollout.settled;
}

/**
 * Moves a rollout on; an end is stamped with its time, and the same end again changes nothing.
 * @throws PerdureError `state/conflict` when the state it is in is none that this one follows, or a later activity has
 * written: nothing changes.
 */
export async function setRolloutState(
  db: Database,
  id: string,
  state: RolloutState,
  stage: number,
  reason: string | null,
  writeOrder: number,
): Promise<void> {
  const over = isEnd(rolloutMoves, state);
  const changed = await db.orm
    .update(rollouts)
    .set({ state, stage, reason: reason && storableText(reason), writeOrder, finishedAt: over ? sql`now()` : null })
    .where(
      and(eq(rollouts.id, id), inArray(rollouts.state, [...rolloutMoves[state]]), lte(rollouts.writeOrder, writeOrder)),
    )
    .returning({ id: rollouts.id });
  if (changed.length > 0) return;
  const now = (await rolloutById(db, id))?.state ?? 'not there';
  if (over && now === state) return;
  throw new PerdureError(
    'state/conflict',
    `rollout ${id} is ${now} by now: ${state} came too late, and nothing was changed.`,
    {
      id,
      state: now,
    },
  );
}

/** Writes down what late labels said; the first review stands. */
export async function recordLateReview(db: Database, id: string, review: LateLabelReview): Promise<void> {
  await db.orm
    .update(rollouts)
    .set({ lateReview: review })
    .where(and(eq(rollouts.id, id), isNull(rollouts.lateReview)));
}

/**
 * Stores a look with its inputs. The first record of a look stands and is returned.
 * @throws PerdureError `state/conflict` when the rollout is over: nothing is stored.
 */
export async function recordLook(
  db: Database,
  look: { rolloutId: string; look: number; stage: number; inputs: Record<string, unknown>; result: StageJudgement },
): Promise<StageJudgement> {
  const { inputs, result } = look;
  await db.orm.execute(sql`
    with stored as (
      insert into ${rolloutLooks} (rollout_id, look, step, inputs_sha256, result)
      select ${look.rolloutId}, ${look.look}::int, ${look.stage}::int, ${digestOf(inputs)},
      ${JSON.stringify(result)}::jsonb
      where ${exists(stillOpen(db, look.rolloutId))}
      on conflict do nothing returning rollout_id, look
    )
    insert into ${lookInputs} (rollout_id, look, inputs)
    select rollout_id, look, ${JSON.stringify(inputs)}::jsonb from stored`);
  const [row] = await db.orm
    .select({ result: rolloutLooks.result })
    .from(rolloutLooks)
    .where(sql`${rolloutLooks.rolloutId} = ${look.rolloutId} and ${rolloutLooks.look} = ${look.look}`);
  if (row) return row.result;
  throw new PerdureError(
    'state/conflict',
    `rollout ${look.rolloutId} is over: look ${look.look} came too late, and nothing was stored.`,
    {
      id: look.rolloutId,
    },
  );
}

const stillOpen = (db: Database, id: string) =>
  db.orm
    .select({ id: rollouts.id })
    .from(rollouts)
    .where(and(eq(rollouts.id, id), inArray(rollouts.state, open)))
    .for('share');

/** The rollout of a model that goes on in an environment. */
export async function runningRollout(
  db: Database,
  environment: Environment,
  model: string,
): Promise<RolloutRecord | undefined> {
  const [row] = await db.orm
    .select()
    .from(rollouts)
    .where(and(eq(rollouts.environment, environment), eq(rollouts.model, model), isNull(rollouts.finishedAt)))
    .orderBy(desc(rollouts.startedAt))
    .limit(1);
  return row;
}

export async function rolloutById(db: Database, id: string): Promise<RolloutRecord | undefined> {
  const [row] = await db.orm.select().from(rollouts).where(eq(rollouts.id, id));
  return row;
}

/** The rollout that carried out a promotion; undefined while none has. */
export async function carriedOutBy(db: Database, promotionId: string): Promise<RolloutRecord | undefined> {
  const [row] = await db.orm
    .select()
    .from(rollouts)
    .where(eq(rollouts.promotionId, promotionId))
    .orderBy(rollouts.startedAt)
    .limit(1);
  return row;
}

/** How rollouts ended, as far as routes do not tell; whether one is over. */
export async function rolloutOutcomes(
  db: Database,
  ids: readonly string[],
): Promise<(RolloutOutcome & { over: boolean })[]> {
  if (ids.length === 0) return [];
  const rows = await db.orm
    .select({ id: rollouts.id, challenger: rollouts.challenger, state: rollouts.state })
    .from(rollouts)
    .where(inArray(rollouts.id, [...ids]));
  return rows.map(({ id, challenger, state }) => ({
    ...{ id, challenger },
    completed: state === 'completed',
    over: isEnd(rolloutMoves, state),
  }));
}
