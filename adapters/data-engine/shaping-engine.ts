import { createEngine, type Engine } from './engine.js';

/** What each session of a shaping may hold, in MB. */
export const shapingMemoryLimitMb = 1024;

/** An engine for `validateAndShapePartition`. Two sessions are open at once while a partition is written. */
export function createShapingEngine(signal: AbortSignal): Engine {
  return createEngine({ residentMb: 2 * shapingMemoryLimitMb + 1024, statementMs: 15 * 60_000 }, signal);
}
