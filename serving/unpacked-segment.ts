import { open } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { packedMark } from './packed-line.js';
import { unpackLine } from './unpack-line.js';

/** Text is written in pieces of about this size, so that a segment of packed lines does not stand in memory unpacked. */
const pieceChars = 1024 * 1024;

/**
 * Writes a segment's lines to a file in `folder` with every packed line as the lines of its rows. A line that cannot be unpacked stays as it is, to be counted as torn.
 * @returns undefined for a segment without packed lines, which needs no unpacking.
 */
export async function unpackedSegment(segment: Buffer, folder: string): Promise<{ file: string; lines: number } | undefined> {
  if (!segment.includes(packedMark)) return undefined;
  const file = path.join(folder, `${randomUUID()}.ndjson`);
  const handle = await open(file, 'wx');
  let lines = 0;
  let piece = '';
  try {
    for (let at = 0; at < segment.length;) {
      const end = segment.indexOf(10, at);
      const line = segment.toString('utf8', at, end === -1 ? segment.length : end);
      at = end === -1 ? segment.length : end + 1;
      const unpacked = line.startsWith(packedMark) ? unpackLine(line) : undefined;
      piece += unpacked === undefined ? `${line}\n` : `${unpacked.join('\n')}\n`;
      lines += unpacked?.length ?? 1;
      if (piece.length >= pieceChars) {
        await handle.appendFile(piece);
        piece = '';
      }
    }
    await handle.appendFile(piece);
  } finally {
    await handle.close();
  }
  return { file, lines };
}
