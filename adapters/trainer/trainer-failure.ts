import { PerdureError, type ErrorCode } from '../../domain/errors.js';
import type { TrainerSpec } from '../../domain/training/trainer.js';
import type { TrainerEnd } from './trainer-process.js';

interface FailedTraining {
  spec: Pick<TrainerSpec, 'algorithm' | 'model'>;
  timeoutMs: number;
  memoryMb: number;
}

/**
 * What to throw for a trainer that did not reach its end: the reason, its last words, and the remedy. A listener's own
 * error is passed on as it is.
 */
export function trainerFailure(end: Exclude<TrainerEnd, { kind: 'cancelled' }>, options: FailedTraining): unknown {
  const { algorithm, model } = options.spec;
  const what = `Training ${model} with ${algorithm}`;
  switch (end.kind) {
    case 'timed-out':
      return new PerdureError(
        'training/timed-out',
        `${what} took more than ${options.timeoutMs / 1000} s. Raise training.timeoutMinutes or reduce the work.`,
      );
    case 'out-of-memory':
      return new PerdureError(
        'training/out-of-memory',
        `${what} used ${Math.round(end.residentMb)} MB, and the limit is ${options.memoryMb} MB. ${moreMemory}`,
        { residentMb: Math.round(end.residentMb), memoryMb: options.memoryMb },
      );
    case 'listener-failed':
      return end.error;
    case 'babbling':
      return new PerdureError(
        'training/failed',
        `${what} printed too many lines that are not messages, such as: ${end.badLines[0]}. See trainers/README.md.`,
        {
          badLines: end.badLines,
        },
      );
    case 'exited': {
      if (end.last?.kind === 'error') {
        const code = blamed[end.last.code] ?? 'training/failed';
        return new PerdureError(code, `${what}: ${end.last.message}`, {
          trainerCode: end.last.code,
          ...logDetails(end),
        });
      }
      const how = end.exitSignal === null ? `ended with code ${end.exitCode}` : `was ended by ${end.exitSignal}`;
      // A native allocation that fails inside a parallel region aborts the program; the kernel's own killer sends
      // SIGKILL.
      if (/bad_alloc|Cannot allocate memory/i.test(end.stderrTail)) {
        return new PerdureError(
          'training/out-of-memory',
          `${what} ${how} out of memory; the limit is ${options.memoryMb} MB. ${moreMemory}`,
          logDetails(end),
        );
      }
      const hint = end.exitSignal === 'SIGKILL' ? ' If nobody killed it, the machine ran out of memory.' : '';
      const log = end.stderrTail.trim().split('\n').slice(-5).join('\n');
      return new PerdureError(
        'training/failed',
        `${what} ${how} before it finished.${hint} Its last output: ${log || '(none)'}. Run it again; if it ` +
          `repeats, \`perdure doctor\` checks the trainer's environment.`,
        logDetails(end),
      );
    }
  }
}

/** Codes by which a trainer blames what it was given; any other code is a failed training. */
const blamed: Record<string, ErrorCode> = {
  'spec-invalid': 'input/invalid',
  'parameter-unknown': 'definition/invalid',
  'parameter-invalid': 'definition/invalid',
  'data-unreadable': 'data/unreadable',
  'data-invalid': 'data/invalid',
  'data-empty': 'data/invalid',
  'column-missing': 'data/invalid',
  'label-invalid': 'data/invalid',
  'label-constant': 'data/invalid',
  'one-class': 'data/invalid',
  'class-absent': 'data/invalid',
  'out-of-memory': 'training/out-of-memory',
};

const moreMemory = 'Raise training.memoryMb or shorten the window.';

function logDetails(end: Extract<TrainerEnd, { kind: 'exited' }>): Record<string, unknown> {
  return {
    stderr: end.stderrTail.trim().split('\n').slice(-20),
    ...(end.badLines.length > 0 ? { badLines: end.badLines } : {}),
  };
}
