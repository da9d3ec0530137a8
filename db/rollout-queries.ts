import { and, desc, eq, inArray, isNull, sql } from 'drizzle-orm';
import { digestOf } from '../domain/canonical-json.js';
import type { StageJudgement } from '../domain/judge.js';
import type { Environment } from '../domain/names.js';
import type { LastWord } from '../domain/last-word.js';
import type { SettledRollout } from '../domain/rollout-plan.js';
import type { RolloutState } from '../domain/rollout.js';
import type { Database } from './connect.js';
import { rolloutLooks, rollouts } from './schema/index.js';

export type RolloutRecord = typeof rollouts.$inferSelect;

/** Records that a rollout began; once per id. */
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
): Promise<void> {
  await db.orm
    .insert(rollouts)
    .values({ ...rollout, state: 'running', step: 0 })
    .onConflictDoNothing();
}

export async function setRolloutState(db: Database, id: string, state: RolloutState, step: number, reason: string | null): Promise<void> {
  const over = state !== 'running' && state !== 'paused';
  await db.orm
    .update(rollouts)
    .set({ state, step, reason, finishedAt: over ? sql`coalesce(finished_at, now())` : null })
    .where(eq(rollouts.id, id));
}

/** Writes down what late labels said; the first word stands. */
export async function recordLastWord(db: Database, id: string, word: LastWord): Promise<void> {
  await db.orm
    .update(rollouts)
    .set({ lastWord: word })
    .where(and(eq(rollouts.id, id), isNull(rollouts.lastWord)));
}

/** Stores a look with its inputs. The first record of a look stands and is returned. */
export async function recordLook(
  db: Database,
  look: { rolloutId: string; look: number; step: number; inputs: Record<string, unknown>; result: StageJudgement },
): Promise<StageJudgement> {
  await db.orm
    .insert(rolloutLooks)
    .values({ ...look, inputsSha256: digestOf(look.inputs) })
    .onConflictDoNothing();
  const [row] = await db.orm
    .select({ result: rolloutLooks.result })
    .from(rolloutLooks)
    .where(sql`${rolloutLooks.rolloutId} = ${look.rolloutId} and ${rolloutLooks.look} = ${look.look}`);
  return row?.result ?? look.result;
}

/** The rollout of a model that goes on in an environment. */
export async function runningRollout(db: Database, environment: Environment, model: string): Promise<RolloutRecord | undefined> {
  const [row] = await db.orm
    .select()
    .from(rollouts)
    .where(and(eq(rollouts.environment, environment), eq(rollouts.model, model), inArray(rollouts.state, ['running', 'paused'])))
    .orderBy(desc(rollouts.startedAt))
    .limit(1);
  return row;
}

export async function rolloutById(db: Database, id: string): Promise<RolloutRecord | undefined> {
  const [row] = await db.orm.select().from(rollouts).where(eq(rollouts.id, id));
  return row;
}
