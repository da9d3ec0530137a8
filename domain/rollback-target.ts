import { PerdureError } from './errors.js';
import { championOf, type Route } from './route.js';

/**
 * The version that a rollback restores, from the route's history, oldest first: the one asked for, else the last one before the present champion that had all of the traffic.
 * @throws PerdureError `not-found` when nothing was served before, or the version asked for never was.
 */
export function rollbackTarget(history: readonly Route[], { model, to }: { model: string; to: number | null }): number {
  const whole = history.filter((route) => route.split.length === 1).map((route) => championOf(route.split));
  if (to !== null) {
    if (whole.includes(to)) return to;
    const served = [...new Set(whole)].join(', ') || 'none';
    throw new PerdureError('not-found', `to: ${model}@${to} was never champion there. Versions that were: ${served}.`, { model, to });
  }
  const present = history.at(-1);
  const champion = present && championOf(present.split);
  const before = whole.findLast((version) => version !== champion);
  if (before === undefined)
    throw new PerdureError('not-found', `${model} has had one version only: there is nothing to go back to.`, { model });
  return before;
}
