import { fork, type ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { errorCodes, PerdureError } from '../../domain/errors.js';
import { lowerPriority } from '../low-priority.js';
import type { DuckSession, DuckSessionOptions } from './duck-session.js';
import { engineAnswerSchema, memoryWord, type EngineOrder } from './engine-messages.js';

export interface EngineLimits {
  /** Resident memory of the whole process in MB; beyond it the process is ended. */
  residentMb: number;
  /** Of one statement. */
  statementMs: number;
}

/** A data engine in a process of its own. Sessions that are opened in it are like those of this process. */
export interface Engine {
  open(options: DuckSessionOptions): Promise<DuckSession>;
  /** Ends the process. */
  end(): void;
}

type Body<Order> = Order extends unknown ? Omit<Order, 'id'> : never;

interface Pending {
  settle: (rows: unknown[]) => void;
  fail: (error: unknown) => void;
  timer: NodeJS.Timeout | undefined;
}

const program = fileURLToPath(new URL('./engine-process.ts', import.meta.url));
const stderrCharsMax = 4000;

/**
 * An engine for statements that hold expressions of a model definition: in a process of its own, below the servers'
 * priority, that a limit or an abort ends while the caller lives on. The process starts with the first session. A
 * statement that exceeds a limit fails with `expression/limit-exceeded`, and so does what is asked afterwards.
 */
export function createEngine(limits: EngineLimits, signal?: AbortSignal): Engine {
  const pending = new Map<number, Pending>();
  let child: ChildProcess | undefined;
  let ready: Promise<void> | undefined;
  let over: unknown;
  let nextId = 1;

  const end = (reason: unknown) => {
    over ??= reason;
    child?.kill('SIGKILL');
    signal?.removeEventListener('abort', onAbort);
    for (const { fail, timer } of pending.values()) {
      clearTimeout(timer);
      fail(over);
    }
    pending.clear();
  };
  const onAbort = () => end(signal?.reason ?? new Error('aborted'));

  function start(): Promise<void> {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', onAbort, { once: true });
    const started = fork(program, [String(limits.residentMb)], {
      cwd: tmpdir(),
      env: { TMPDIR: tmpdir(), HOME: tmpdir(), NODE_ENV: 'production' },
      execArgv: ['--import', import.meta.resolve('tsx')],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    child = started;
    lowerPriority(started);
    let complaints = '';
    started.stderr
      ?.setEncoding('utf8')
      .on('data', (text: string) => (complaints = (complaints + text).slice(-stderrCharsMax)));
    return new Promise((resolve, reject) => {
      started.on('error', (error) => (reject(error), end(error)));
      // `close` comes after the last word on stderr.
      started.on('close', (code, killedBy) => {
        const reason = complaints.includes(memoryWord)
          ? exceeded(`needs more than ${limits.residentMb} MB of memory`)
          : new Error(
              `The data engine's process ended early (${killedBy ?? `exit code ${code}`}). It wrote: ` +
                `${complaints.trim() || 'nothing'}`,
            );
        reject(over ?? reason);
        end(reason);
      });
      started.on('message', (message) => {
        const answer = engineAnswerSchema.parse(message);
        if (answer.kind === 'ready') return resolve();
        const asked = pending.get(answer.id);
        pending.delete(answer.id);
        clearTimeout(asked?.timer);
        if (answer.kind === 'done') return asked?.settle(answer.rows);
        const code = errorCodes.find((one) => one === answer.code);
        asked?.fail(code ? new PerdureError(code, answer.message) : new Error(answer.message));
      });
    });
  }

  async function ask(body: Body<EngineOrder>): Promise<{ id: number; rows: unknown[] }> {
    if (over !== undefined) throw over;
    await (ready ??= start());
    if (over !== undefined) throw over;
    const id = nextId++;
    const rows = await new Promise<unknown[]>((settle, fail) => {
      // Opening a session takes as long as the machine is busy; it evaluates nothing.
      const timed = body.kind === 'run' || body.kind === 'rows';
      const timer = timed
        ? setTimeout(() => end(exceeded(`takes longer than ${limits.statementMs / 1000} s`)), limits.statementMs)
        : undefined;
      pending.set(id, { settle, fail, timer });
      child?.send({ ...body, id });
    });
    return { id, rows };
  }

  return {
    async open({ signal: _signal, ...options }) {
      const { id: session } = await ask({ kind: 'open', options });
      return {
        run: async (sql, parameters) => void (await ask({ kind: 'run', session, sql, parameters })),
        rows: async (sql, rowSchema, parameters) =>
          (await ask({ kind: 'rows', session, sql, parameters })).rows.map((row) => rowSchema.parse(row)),
        append: async (table, columns) => void (await ask({ kind: 'append', session, table, columns })),
        close: () => void ask({ kind: 'close', session }).catch(() => undefined),
      };
    },
    end: () => end(new Error('the data engine was ended')),
  };
}

function exceeded(what: string): PerdureError {
  return new PerdureError(
    'expression/limit-exceeded',
    `Evaluating the definition's expressions ${what} and was ended. Make the expressions cheaper or the ` +
      'texts that they read shorter.',
  );
}
