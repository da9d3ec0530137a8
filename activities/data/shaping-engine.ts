import { createEngine, type Engine } from '../../adapters/data-engine/engine.js';

/** Of one session, in which rows are computed or written. */
export const memoryLimitMb = 1024;
/** Two sessions are open at once while a partition is written. */
const limits = { residentMb: 2 * memoryLimitMb + 1024, statementMs: 15 * 60_000 };

/** A process for the expressions of a definition, which a limit ends. */
export const createShapingEngine = (signal: AbortSignal) => createEngine(limits, signal);

/** How many partitions one process serves: its memory is given back now and then. */
const partitionsPerProcess = 50;

/** Engines for partitions one after another: a process costs more to start than a small partition to shape. */
export function shapingEngines(signal: AbortSignal) {
  let engine: Engine | undefined;
  let served = 0;
  return {
    next(): Engine {
      if (engine === undefined || served === partitionsPerProcess) {
        engine?.end();
        engine = createShapingEngine(signal);
        served = 0;
      }
      served += 1;
      return engine;
    },
    end: () => engine?.end(),
  };
}
