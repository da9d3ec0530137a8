import { Worker } from 'node:worker_threads';
import { PerdureError } from '../../domain/errors.js';
import { evaluationOrderSchema, type EvaluationAnswer } from './evaluation-request.js';
import { scoreModels } from './score-models.js';

/** The program of the evaluation process: takes one order from its parent, answers, and ends. */

process.once('disconnect', () => process.exit(1));
process.once('message', (message) => void evaluate(message));
answer({ kind: 'ready' });

async function evaluate(message: unknown): Promise<void> {
  try {
    const { request, timeoutMs } = evaluationOrderSchema.parse(message);
    endAfter(timeoutMs);
    const evaluation = await scoreModels(request, (step, donePct) => answer({ kind: 'progress', step, donePct }));
    answer({ kind: 'done', evaluation });
  } catch (error) {
    const known = error instanceof PerdureError;
    answer({
      kind: 'failed',
      code: known ? error.code : 'evaluation/failed',
      message: error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error),
      details: known ? error.details : {},
    });
  }
}

/**
 * An endless model blocks this thread, and the parent may die without a word: another thread ends the process then, or
 * when its time is over.
 */
function endAfter(timeoutMs: number): void {
  const watch = `
    const parent = process.ppid;
    const end = () => process.kill(process.pid, 'SIGKILL');
    setTimeout(end, ${timeoutMs});
    setInterval(() => process.ppid !== parent && end(), 500);`;
  new Worker(watch, { eval: true }).unref();
}

function answer(message: EvaluationAnswer): void {
  process.send?.(message);
}
