import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { PerdureError } from '../../domain/errors.js';
import { lowerPriority } from '../lower-priority.js';
import { engineAnswerSchema, memoryWord, type EngineAnswer } from './engine-messages.js';

export interface EngineLimits {
  /** Resident memory of the whole process in MB; beyond it the process is ended. */
  residentMb: number;
  /** Of one statement. */
  statementMs: number;
}

const program = fileURLToPath(new URL('./engine-process.ts', import.meta.url));
const stderrCharsMax = 4000;

/**
 * Starts the process of a data engine, below the servers' priority.
 * @param heard.ended gets why the process is over, once or twice
 */
export function forkEngine(
  { residentMb }: EngineLimits,
  heard: { answered: (answer: EngineAnswer) => void; ended: (reason: Error) => void },
): ChildProcess {
  const child = fork(program, [String(residentMb)], {
    cwd: tmpdir(),
    env: { TMPDIR: tmpdir(), HOME: tmpdir(), NODE_ENV: 'production' },
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  lowerPriority(child);
  let complaints = '';
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => (complaints = (complaints + text).slice(-stderrCharsMax)));
  child.on('error', heard.ended);
  // `close` comes after the last word on stderr.
  child.on('close', (code, killedBy) =>
    heard.ended(
      complaints.includes(memoryWord)
        ? exceeded(`needs more than ${residentMb} MB of memory`)
        : new Error(
            `The data engine's process ended early (${killedBy ?? `exit code ${code}`}). It wrote: ` +
              `${complaints.trim() || 'nothing'}`,
          ),
    ),
  );
  child.on('message', (message) => heard.answered(engineAnswerSchema.parse(message)));
  return child;
}

export function exceeded(what: string): PerdureError {
  return new PerdureError(
    'expression/limit-exceeded',
    `Evaluating the definition's expressions ${what} and was ended. Make the expressions cheaper or the ` +
      'strings they read shorter.',
  );
}
