import { PerdureError } from '../domain/errors.js';
import { leaseNames, workflowIds } from '../domain/ids.js';
import { parseHolder } from '../domain/lease-holder.js';
import type { PromotionState } from '../domain/promotion/promotion.js';
import { rolloutMoves } from '../domain/rollout/rollout-moves.js';
import { isEnd } from '../domain/state-moves.js';
import { releaseLease } from '../db/lease-queries.js';
import {
  heldLeases,
  openRows,
  rolloutOfPromotion,
  rolloutsAwaitingLabels,
  orphanedShares,
} from '../db/reconciliation-queries.js';
import { promotionById, setPromotionState } from '../db/promotion/promotion-queries.js';
import { recordLateReview, rolloutById } from '../db/rollout/rollout-queries.js';
import { closeRun } from '../db/training/run-queries.js';
import type { ActivityDependencies } from './dependencies.js';
import { writeOrder } from './write-order.js';
import { endOfWorkflow } from './workflow-end.js';
import type { UnwatchedShare } from './rollout/giving-back.js';

/** What one pass found. */
export interface Reconciled {
  /** One line each for what was closed or given back. */
  closed: string[];
  /** Rollouts whose share must go back to the champion before they can be closed. */
  unwatched: UnwatchedShare[];
}

/** Shares a pass: each starts a workflow. What is left over is found by the next pass. */
const unwatchedMax = 50;
/** Lines that a pass tells; the rows say the rest. */
const linesMax = 50;

type Deps = Pick<ActivityDependencies, 'db' | 'temporal'>;

/**
 * One pass over everything that is open. Whatever it closes it closes only from an open state, so that repeating
 * changes nothing.
 */
export async function closeOpenRows(deps: Deps): Promise<Reconciled> {
  const { closed, unwatched } = await closeRows(deps);
  closed.push(...(await closeReviews(deps)), ...(await freeLeases(deps)));
  return { closed: closed.slice(0, linesMax), unwatched: await sharesToGiveBack(deps, unwatched) };
}

/** Runs and promotions are closed; a rollout first gives its share back. */
async function closeRows(deps: Deps): Promise<Reconciled> {
  const { db, temporal } = deps;
  const closed: string[] = [];
  const unwatched: UnwatchedShare[] = [];
  for (const { kind, id, workflowId, model } of await openRows(db)) {
    const ended = await endOfWorkflow(temporal, { workflowId, runId: id });
    if (ended === null) continue;
    const why = `its workflow ${ended}`;
    if (kind === 'run') {
      const outcome = ended.startsWith('was cancelled') ? 'cancelled' : 'failed';
      const reason = `${why}. Start it again with \`perdure train ${model}\`.`;
      await closeRun(db, { runId: id, outcome, reason, watermark: null });
      closed.push(`run ${workflowId}: ${why}`);
    } else if (kind === 'promotion') {
      if (await closePromotion(deps, id, why).catch(unlessMoved)) closed.push(`promotion ${workflowId}: ${why}`);
    } else {
      const rollout = await rolloutById(db, id);
      if (rollout) unwatched.push({ rolloutId: id, environment: rollout.environment, model, why });
    }
  }
  return { closed, unwatched };
}

async function closeReviews({ db, temporal }: Deps): Promise<string[]> {
  const closed: string[] = [];
  for (const { id, environment, model, challenger } of await rolloutsAwaitingLabels(db)) {
    const workflowId = workflowIds.review(environment, model, challenger);
    const ended = await endOfWorkflow(temporal, { workflowId, runId: '' });
    if (ended === null) continue;
    const reason =
      `No review waits for labels any more: it ${ended}. To resume, start reviewRollout ` + `{"rolloutId":"${id}"}.`;
    await recordLateReview(db, id, { verdict: 'no-data', reason, coveragePct: 0, at: new Date().toISOString() });
    closed.push(`review ${workflowId}: ${ended}`);
  }
  return closed;
}

async function freeLeases({ db, temporal }: Deps): Promise<string[]> {
  const freed: string[] = [];
  for (const lease of await heldLeases(db)) {
    const ended = await endOfWorkflow(temporal, parseHolder(lease.holder));
    if (ended === null) continue;
    await releaseLease(db, lease);
    freed.push(`lease ${lease.name}: its holder ${ended}`);
  }
  return freed;
}

/** Also those of rollouts that were closed before; none that somebody moves, or gives back already. */
async function sharesToGiveBack({ db, temporal }: Deps, found: UnwatchedShare[]): Promise<UnwatchedShare[]> {
  const unwatched = [...found];
  const held = new Set((await heldLeases(db)).map((lease) => lease.name));
  for (const stray of await orphanedShares(db)) {
    if (!unwatched.some((one) => one.rolloutId === stray.rolloutId))
      unwatched.push({ ...stray, why: 'its rollout has ended without giving it back' });
  }
  // A rollout or a rollback that holds the lease writes a route of its own.
  const free = unwatched.filter(({ environment, model }) => !held.has(leaseNames.rollout(environment, model)));
  const left: UnwatchedShare[] = [];
  for (const share of free.slice(0, unwatchedMax)) {
    const givingBack = workflowIds.giveBack(share.environment, share.model);
    if ((await endOfWorkflow(temporal, { workflowId: givingBack, runId: '' })) !== null) left.push(share);
  }
  return left;
}

/**
 * Where its rollout still goes on, it is told to go back, and waited for; else the promotion ends as the rollout did.
 */
async function closePromotion({ db, temporal }: Deps, id: string, why: string): Promise<boolean> {
  const { state, model, version, environment } = await promotionById(db, id);
  const rollout = state === 'rolling-out' ? await rolloutOfPromotion(db, id) : undefined;
  if (rollout && !isEnd(rolloutMoves, rollout.state)) {
    // Refused where it is going back already, or has just ended: the next pass sees it.
    const running = temporal.workflow.getHandle(workflowIds.rollout(environment, model), undefined, {
      firstExecutionRunId: rollout.id,
    });
    await running.cancel().catch(() => undefined);
    return false;
  }
  const to: PromotionState =
    rollout === undefined ? 'failed' : rollout.state === 'completed' ? 'promoted' : 'rolled-back';
  const rest =
    to === 'promoted'
      ? 'Its rollout was completed before.'
      : `Request another with \`perdure promote ${model}@${version}\`.`;
  await setPromotionState(db, id, to, `${why}. ${rest}`, writeOrder());
  return true;
}

/** Somebody has moved the row meanwhile: it is looked at again in the next pass. */
function unlessMoved(error: unknown): false {
  if (error instanceof PerdureError && error.code === 'state/conflict') return false;
  throw error;
}
