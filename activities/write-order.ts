import { Context } from '@temporalio/activity';
import { writeOrderOf } from '../domain/state-moves.js';

/** The write order of the attempt that runs here: what it writes is refused once a later one has written. */
export function writeOrder(): number {
  return writeOrderOf(Context.current().info);
}
