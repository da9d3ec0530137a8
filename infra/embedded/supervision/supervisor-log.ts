import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { logPath } from '../processes/logs.js';
import { messageOf } from '../../../domain/errors.js';

/** What a machine that runs out of something answers; a later try may succeed. */
const passing: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EAGAIN',
  'ENOMEM',
  'ENOENT',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
]);

/**
 * A log of the supervisor's own. A line that cannot be written is dropped and counted; the next one that can says how
 * many were.
 */
export function supervisorLog(home: string): (line: string) => void {
  let dropped = 0;
  let why = '';
  return (line) => {
    const file = logPath(home, 'supervisor');
    const note = dropped === 0 ? '' : `${new Date().toISOString()} ${dropped} line(s) were dropped: ${why}\n`;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      appendFileSync(file, `${note}${new Date().toISOString()} ${line}\n`);
      dropped = 0;
    } catch (error) {
      dropped += 1;
      why = messageOf(error);
    }
  };
}

/**
 * A supervisor that dies of a full disk or a closed terminal would leave everything unwatched: such failures are told
 * and survived. All others end it.
 */
export function surviveShortages(tell: (line: string) => void = () => undefined): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('uncaughtException', (error: unknown) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    tell(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    if (passing.has(code)) return;
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  });
}
