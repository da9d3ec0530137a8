import { Context } from '@temporalio/activity';
import { turnOf } from '../domain/state-moves.js';

/** The turn of the activity attempt that runs here: what it writes is refused once a later one has written. */
export function turn(): number {
  return turnOf(Context.current().info);
}
