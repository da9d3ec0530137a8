import type { ChildProcess } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/**
 * For work that can wait: gateways on the same machine come first. To be called right after the start: threads that
 * exist already keep their priority.
 */
export function lowerPriority(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where the system refuses, it runs with the usual priority.
  }
}
