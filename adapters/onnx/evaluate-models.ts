import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { errorCodes, PerdureError } from '../../domain/errors.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { lowerPriority } from '../lower-priority.js';
import {
  evaluationAnswerSchema,
  evaluationRequestSchema,
  type evaluationOrderSchema,
  type EvaluationRequest,
} from './evaluation-request.js';

export interface EvaluateOptions {
  /** Aborting kills the process and rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  timeoutMs: number;
  /** Steps are `start`, `check`, `score` and `measure`; the share is that of the step. */
  onProgress?: (step: string, donePct: number) => void;
}

const program = fileURLToPath(new URL('./evaluation-process.ts', import.meta.url));
const stderrCharsMax = 4000;

/**
 * Evaluates a candidate, and the champion on the same rows, in a process of its own: it starts in an empty folder with
 * next to no environment, so that a model file finds nothing to read, and it can be ended while a model runs. The same
 * files and policy give the same result.
 * @throws PerdureError `evaluation/timed-out`, `evaluation/failed` (the process died), and whatever `scoreModels`
 * refuses
 */
export async function evaluateModels(
  request: EvaluationRequest,
  { signal, timeoutMs, onProgress = () => {} }: EvaluateOptions,
): Promise<Evaluation> {
  const order = { request: withAbsolutePaths(evaluationRequestSchema.parse(request)), timeoutMs };
  signal?.throwIfAborted();
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-evaluation-'));
  onProgress('start', 0);
  const child = fork(program, [], {
    cwd: folder,
    env: { TMPDIR: folder, HOME: folder, NODE_ENV: 'production' },
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  lowerPriority(child);
  try {
    return await converse(child, order, { signal, timeoutMs, onProgress });
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The process starts in another folder. */
function withAbsolutePaths(request: EvaluationRequest): EvaluationRequest {
  const absolute = <File extends { path: string }>(file: File): File => ({ ...file, path: path.resolve(file.path) });
  return {
    ...request,
    candidate: absolute(request.candidate),
    ...(request.folds && { folds: request.folds.map(absolute) }),
    champion: request.champion && {
      ...absolute(request.champion),
      ...(request.champion.own && {
        own: { ...request.champion.own, holdout: request.champion.own.holdout.map(absolute) },
      }),
    },
    holdout: request.holdout.map(absolute),
    native:
      request.native &&
      ('model' in request.native ? { model: absolute(request.native.model) } : absolute(request.native)),
    ...(request.scoresPath !== undefined && { scoresPath: path.resolve(request.scoresPath) }),
  };
}

type Conversation = EvaluateOptions & Required<Pick<EvaluateOptions, 'onProgress'>>;

function converse(
  child: ChildProcess,
  order: z.infer<typeof evaluationOrderSchema>,
  { signal, timeoutMs, onProgress }: Conversation,
): Promise<Evaluation> {
  return new Promise<Evaluation>((resolve, reject) => {
    let complaints = '';
    const timer = setTimeout(() => {
      end(() =>
        reject(
          new PerdureError(
            'evaluation/timed-out',
            `The evaluation took longer than ${timeoutMs / 1000} s and was ended.`,
          ),
        ),
      );
    }, timeoutMs);
    const onAbort = () => end(() => reject(signal?.reason ?? new Error('aborted')));
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      child.kill('SIGKILL');
      settle();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    child.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (complaints = (complaints + text).slice(-stderrCharsMax)));
    child.on('error', (error) => end(() => reject(failed(`could not be started: ${error.message}`, complaints))));
    child.on('exit', (code, killedBy) =>
      end(() => reject(failed(`ended early (${killedBy ?? `exit code ${code}`})`, complaints))),
    );
    child.on('message', (message) => {
      const answer = evaluationAnswerSchema.safeParse(message);
      if (!answer.success)
        return end(() => reject(failed(`gave an answer that cannot be read: ${answer.error.message}`, complaints)));
      switch (answer.data.kind) {
        case 'ready':
          child.send(order);
          return;
        case 'progress':
          return onProgress(answer.data.step, answer.data.donePct);
        case 'done': {
          const { evaluation } = answer.data;
          return end(() => resolve(evaluation));
        }
        case 'failed': {
          const { code, message: text, details } = answer.data;
          const known = errorCodes.find((each) => each === code) ?? 'evaluation/failed';
          return end(() => reject(new PerdureError(known, text, details)));
        }
      }
    });
  });
}

function failed(what: string, complaints: string): PerdureError {
  return new PerdureError(
    'evaluation/failed',
    `The evaluation process ${what}.${complaints ? ` It wrote: ${complaints.trim()}` : ''}`,
  );
}
