import { PerdureError } from '../errors.js';
import { versionsOfRoute } from '../serving/route.js';
import type { ChampionHistory, SetBack } from './champion-history.js';

export interface RollbackQuestion {
  model: string;
  /** The version asked for; null for the one before. */
  to: number | null;
  /**
   * The champion of the rollout that is under way, which is gone back to unless another is asked for; null where there
   * is none.
   */
  undoes?: number | null;
  /** The epoch that was in force when it was asked for. */
  leaves: number | null;
}

/** Versions that a message names, the newest. */
const namedMax = 20;

/**
 * The version that a rollback restores: the one asked for, else the champion before the present one. Only a version
 * that was approved and has served whole qualifies, and none that was taken back for harm since: that one needs a new
 * approval. What was served before a service was ended is over for good.
 * @throws PerdureError `rollout/refused` when the service was ended, `not-found` when nothing qualifies,
 * `state/conflict` for a version that was taken back.
 */
export function rollbackTarget(
  { line, servedWhole, setBack, last }: ChampionHistory,
  { model, to, undoes = null }: Omit<RollbackQuestion, 'leaves'>,
): number {
  const end = last?.ended;
  if (end !== undefined) {
    const said = `Serving of ${model} was ended there by ${end.by} (${end.reason})`;
    throw new PerdureError(
      'rollout/refused',
      `${said}. To serve it again, promote a version: perdure promote ${model}@N.`,
      { model },
    );
  }
  const qualifies = (version: number) => !setBack.has(version);
  if (to !== null) {
    const taken = setBack.get(to);
    if (taken && servedWhole.has(to)) throw takenBack(model, to, taken);
    if (servedWhole.has(to)) return to;
    const served = [...servedWhole].filter(qualifies).slice(-namedMax).join(', ') || 'none';
    throw new PerdureError(
      'not-found',
      `to: ${model}@${to} was never approved and fully served there: a stage of a rollout that did not ` +
        `complete does not count. Versions that were: ${served}.`,
      { model, to },
    );
  }
  if (undoes !== null && servedWhole.has(undoes) && qualifies(undoes)) return undoes;
  // A split that nobody moves any more, or a challenger that has everything in a rollout that has not completed, is
  // itself what is left behind.
  const now = last?.split;
  const atTop = now?.length === 1 && now[0]?.version === line.at(-1);
  const before = line.slice(0, atTop ? -1 : undefined).findLast(qualifies);
  if (before === undefined) {
    throw new PerdureError(
      'not-found',
      `${model} has no earlier champion that was approved and fully served: there is nothing to roll back to, ` +
        'and nothing was changed.',
      { model },
    );
  }
  return before;
}

const takenBack = (model: string, version: number, { at, reason }: SetBack) =>
  new PerdureError(
    'state/conflict',
    `${model}@${version} was taken back at ${at} (${reason}). It needs a new approval to serve again: ` +
      `perdure promote ${model}@${version}.`,
    { model, version },
  );

export interface RollbackPlan {
  /** The version that is to be served again. */
  version: number;
  /**
   * The epoch under which it is served alone since the rollback was asked for: another put it back first. Null while a
   * route must be written.
   */
  alreadySince: number | null;
}

/**
 * What a rollback does that was asked for while the epoch `leaves` was in force: two that leave the same epoch restore
 * the same version, whichever comes first.
 * @param leaving the history up to that epoch; all of it where a version is asked for, or no epoch is known
 * @throws PerdureError as `rollbackTarget`.
 */
export function planRollback(
  leaving: ChampionHistory,
  { last: now, setBack }: ChampionHistory,
  { leaves, ...asked }: RollbackQuestion,
): RollbackPlan {
  const version = rollbackTarget(leaving, asked);
  const servedAlone = now !== undefined && versionsOfRoute(now).every((one) => one === version);
  if (servedAlone && leaves !== null && now.epoch > leaves) return { version, alreadySince: now.epoch };
  // An epoch of long ago does not bring in again what was taken back since.
  const taken = setBack.get(version);
  if (taken) throw takenBack(asked.model, version, taken);
  return { version, alreadySince: null };
}
