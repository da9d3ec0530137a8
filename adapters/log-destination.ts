import { writeSync } from 'node:fs';

/**
 * Where a process's log lines go: its standard output, as a file at the supervisor's. A disk that is full or broken
 * costs lines, and never the process: what was lost is counted and said with the first line that can be written again.
 */
export function logDestination(
  descriptor = 1,
  write: (descriptor: number, bytes: Buffer, at: number) => number = writeSync,
): { write: (line: string) => void } {
  let lost = 0;
  const put = (text: string): boolean => {
    const bytes = Buffer.from(text);
    try {
      for (let at = 0; at < bytes.length;) at += write(descriptor, bytes, at);
      return true;
    } catch {
      return false; // A pipe that nobody reads fast enough (EAGAIN), a full disk, a terminal that is gone.
    }
  };
  return {
    write: (line) => {
      if (
        lost > 0 &&
        put(
          `${JSON.stringify({
            level: 40,
            time: new Date().toISOString(),
            lost,
            msg: 'log lines could not be written',
          })}\n`,
        )
      )
        lost = 0;
      if (lost > 0 || !put(line)) lost += 1;
    },
  };
}
