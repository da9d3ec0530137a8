import { blockMark } from './logged-block.js';
import { contextMark, packedMark } from './older-lines.js';

/** How many rows a line of the spool stands for, read from its beginning alone. */
export function rowsOfLine(line: string): number {
  if (line.startsWith(contextMark)) return 0;
  if (!line.startsWith(blockMark) && !line.startsWith(packedMark)) return 1;
  return Number(/"rows":(\d+)/.exec(line.slice(0, 500))?.[1] ?? 1);
}
