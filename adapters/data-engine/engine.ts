import type { ChildProcess } from 'node:child_process';
import { errorCodes, PerdureError } from '../../domain/errors.js';
import type { DuckSession, DuckSessionOptions } from './duck-session.js';
import type { EngineOrder } from './engine-messages.js';
import { exceeded, forkEngine, type EngineLimits } from './fork-engine.js';

export type { EngineLimits };

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
    return new Promise((resolve, reject) => {
      child = forkEngine(limits, {
        ended: (reason) => {
          reject(over ?? reason);
          end(reason);
        },
        answered: (answer) => {
          if (answer.kind === 'ready') return resolve();
          const asked = pending.get(answer.id);
          pending.delete(answer.id);
          clearTimeout(asked?.timer);
          if (answer.kind === 'done') return asked?.settle(answer.rows);
          const code = errorCodes.find((one) => one === answer.code);
          asked?.fail(code ? new PerdureError(code, answer.message) : new Error(answer.message));
        },
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
