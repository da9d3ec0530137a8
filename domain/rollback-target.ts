import { PerdureError } from './errors.js';
import { championOf, versionsOfRoute, writtenByRollout, type Route } from './route.js';

/**
 * The version that a rollback restores, from the route's history, oldest first: the one asked for, else the last whole route before the present one. Going back is
 * undone step by step: a version that was rolled back from is not gone back to.
 * What was served before a service was ended is over for good.
 * @throws PerdureError `rollout/refused` when the service was ended; `not-found` when nothing was served before, or the version asked for never was.
 */
export function rollbackTarget(history: readonly Route[], { model, to }: { model: string; to: number | null }): number {
  const ended = history.findLastIndex((route) => route.ended !== undefined);
  const end = history[ended]?.ended;
  if (end !== undefined && ended === history.length - 1) {
    const said = `The service of ${model} was ended there by ${end.by} (${end.reason})`;
    throw new PerdureError('rollout/refused', `${said}. To serve it again, promote a version: perdure promote ${model}@N.`, { model });
  }
  const routes = history.slice(ended + 1).filter((route) => route.split.length === 1);
  const whole = routes.map((route) => championOf(route.split));
  if (to !== null) {
    if (whole.includes(to)) return to;
    const served = [...new Set(whole)].join(', ') || 'none';
    throw new PerdureError('not-found', `to: ${model}@${to} was never champion there. Versions that were: ${served}.`, { model, to });
  }
  const line = lineOfChampions(routes);
  // A split that nobody moves any more is itself what is left behind.
  const before = (history.at(-1)?.split.length ?? 1) > 1 ? line.at(-1) : line.at(-2);
  if (before === undefined) {
    throw new PerdureError('not-found', `${model} has no earlier champion: there is nothing to go back to.`, { model });
  }
  return before;
}

export interface RollbackPlan {
  /** The version that is to be served again. */
  version: number;
  /** The epoch under which it is served alone since the rollback was asked for: another put it back first. Null while a route must be written. */
  alreadySince: number | null;
}

/**
 * What a rollback does that was asked for while the epoch `leaves` was in force: two that leave the same epoch restore the same version,
 * whichever comes first.
 * @throws PerdureError `not-found`, as `rollbackTarget`.
 */
export function planRollback(
  history: readonly Route[],
  { model, to, leaves }: { model: string; to: number | null; leaves: number | null },
): RollbackPlan {
  const seen = to === null && leaves !== null ? history.filter((route) => route.epoch <= leaves) : history;
  const version = rollbackTarget(seen, { model, to });
  const now = history.at(-1);
  const servedAlone = now !== undefined && versionsOfRoute(now).every((one) => one === version);
  return { version, alreadySince: servedAlone && leaves !== null && now.epoch > leaves ? now.epoch : null };
}

/** The champions that led to the present one: returning to the one before takes the last step back, unless it was rolled out again. */
function lineOfChampions(routes: readonly Route[]): number[] {
  const line: number[] = [];
  for (const route of routes) {
    const version = championOf(route.split);
    if (version === line.at(-2) && !writtenByRollout(route)) line.pop();
    else if (version !== line.at(-1)) line.push(version);
  }
  return line;
}
