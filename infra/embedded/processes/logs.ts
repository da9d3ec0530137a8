import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import path from 'node:path';

const rotateAtBytes = 10 * 1024 * 1024;

/**
 * Opens a component's log for appending; one that has grown past 10 MiB moves to `<name>.1.log` first, so that two
 * files a component remain. Undefined when that is impossible, as on a full disk: what was to be logged is dropped, and
 * the component runs.
 */
export function openLog(home: string, name: string): number | undefined {
  const file = logPath(home, name);
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    if (existsSync(file) && statSync(file).size > rotateAtBytes) renameSync(file, formerOf(file));
    return openSync(file, 'a');
  } catch {
    return undefined;
  }
}

/**
 * The same for logs of components that run on: what is in them is copied, and they begin anew, since each line is
 * appended. A line that is written between the two is lost. Never throws: what is in the way is tried again.
 */
export function rotateLogs(home: string): void {
  const folder = path.join(home, 'logs');
  try {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (!/(?<!\.1)\.log$/.test(name) || statSync(file).size <= rotateAtBytes) continue;
      copyFileSync(file, formerOf(file));
      truncateSync(file);
    }
  } catch {
    // A full disk, or no logs yet.
  }
}

const formerOf = (file: string): string => file.replace(/\.log$/, '.1.log');

export function logPath(home: string, name: string): string {
  return path.join(home, 'logs', `${name}.log`);
}

/** The last lines of a log, for an error message. */
export function logTail(home: string, name: string, lines = 12): string {
  const file = logPath(home, name);
  if (!existsSync(file)) return '';
  const descriptor = openSync(file, 'r');
  try {
    const size = fstatSync(descriptor).size;
    const length = Math.min(size, 16_384);
    const buffer = Buffer.alloc(length);
    readSync(descriptor, buffer, 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
