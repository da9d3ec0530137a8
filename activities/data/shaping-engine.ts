import { createEngine } from '../../adapters/data-engine/engine.js';

/** Of one session, in which rows are computed or written. */
export const memoryLimitMb = 1024;
/** Two sessions are open at once while a partition is written. */
const limits = { residentMb: 2 * memoryLimitMb + 1024, statementMs: 15 * 60_000 };

/** A process for the expressions of a definition, which a limit ends. */
export const createShapingEngine = (signal: AbortSignal) => createEngine(limits, signal);
