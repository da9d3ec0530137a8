import { blockMark, type LoggedBlock } from './logged-block.js';
import { contextMark, packedMark, parseContext, readPackedLine, readRow, type RowContext } from './older-lines.js';
import { readBlock } from './read-block.js';
import { rowsOfLine } from './rows-of-line.js';

/** `named` is a row that names each feature, as the oldest gateways wrote it, or a label. */
export type SpoolLine =
  { kind: 'block'; block: LoggedBlock } | { kind: 'torn'; rows: number } | { kind: 'context' | 'named' };

/** Reads the lines of one segment, whichever release wrote them, in their order. */
export class SpoolLineReader {
  private readonly contexts = new Map<string, RowContext>();

  read(line: string): SpoolLine {
    if (line.startsWith(blockMark)) return blockOr(line, readBlock(line));
    if (line.startsWith(packedMark)) return blockOr(line, readPackedLine(line));
    if (line.startsWith(contextMark)) {
      const context = parseContext(line);
      if (context !== undefined) this.contexts.set(context.context, context);
      return { kind: 'context' };
    }
    return this.contexts.size === 0 ? { kind: 'named' } : blockOr(line, readRow(line, this.contexts));
  }
}

const blockOr = (line: string, block: LoggedBlock | undefined): SpoolLine =>
  block === undefined ? { kind: 'torn', rows: rowsOfLine(line) } : { kind: 'block', block };
