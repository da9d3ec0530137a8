import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { openDuckSession, type DuckSession } from './duck-session.js';
import { memoryWord, type EngineAnswer, type EngineOrder } from './engine-messages.js';

/**
 * The program of an engine process: sessions of DuckDB that its parent steers. It ends with its parent, and when it
 * holds more memory than its argument says, in MB.
 */

const sessions = new Map<number, DuckSession>();

process.once('disconnect', () => process.exit(1));
process.on('message', (message) => void answerTo(message as EngineOrder));
watchMemory(Number(process.argv[2]));
answer({ kind: 'ready' });

async function answerTo(order: EngineOrder): Promise<void> {
  try {
    answer({ kind: 'done', id: order.id, rows: await rowsOf(order) });
  } catch (error) {
    const code = error instanceof PerdureError ? error.code : null;
    answer({ kind: 'failed', id: order.id, code, message: messageOf(error) });
  }
}

async function rowsOf(order: EngineOrder): Promise<unknown[]> {
  if (order.kind === 'open') {
    sessions.set(order.id, await openDuckSession(order.options));
    return [];
  }
  const session = sessions.get(order.session);
  if (!session) throw new Error(`the engine has no session ${order.session}`);
  switch (order.kind) {
    case 'rows':
      return await session.rows(order.sql, z.unknown(), order.parameters);
    case 'run':
      await session.run(order.sql, order.parameters);
      return [];
    case 'append':
      await session.append(order.table, order.columns);
      return [];
    case 'close':
      sessions.delete(order.session);
      session.close();
      return [];
  }
}

/**
 * One value of one row may take more memory than the machine has, and DuckDB's own limit does not count it: a thread
 * looks often, and ends the process at once.
 */
function watchMemory(residentMbMax: number): void {
  const watch = `
    const { writeSync } = require('node:fs');
    const parent = process.ppid;
    const end = (word) => { try { writeSync(2, word); } catch {} process.kill(process.pid, 'SIGKILL'); };
    setInterval(() => process.memoryUsage.rss() > ${residentMbMax} * 1024 ** 2 && end('\\n${memoryWord}\\n'), 20);
    setInterval(() => process.ppid !== parent && end(''), 500);`;
  new Worker(watch, { eval: true }).unref();
}

function answer(message: EngineAnswer): void {
  process.send?.(message);
}
