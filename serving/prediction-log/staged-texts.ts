import type { OfferedColumn } from '../../adapters/data-engine/offered-columns.js';
import { quoteName } from '../../adapters/data-engine/quote-sql.js';
import type { LoggedBlock } from './logged-block.js';

/** The texts of a query, each once; its code is its place from 1 on, 0 where one is missing. */
export class StagedTexts {
  readonly all: string[] = [];
  private readonly codes = new Map<string, number>();

  codeOf(text: string | null | undefined): number {
    if (text === null || text === undefined) return 0;
    let code = this.codes.get(text);
    if (code === undefined) this.codes.set(text, (code = this.all.push(text)));
    return code;
  }

  /** Codes here of what a block has; a text that no row has is none of ours. */
  codesOf({ codes, texts }: LoggedBlock): Int32Array {
    const known = new Int32Array(texts.length + 1);
    const own = new Int32Array(codes.length);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? 0;
      if (code > 0) own[at] = known[code] ||= this.codeOf(texts[code - 1]);
    }
    return own;
  }
}

/** A text by its code. */
export function textAt(column: OfferedColumn | undefined): string {
  if (column?.type !== 'INTEGER' || !column.values.some((code) => code > 0)) return 'CAST(NULL AS VARCHAR)';
  return `texts[${quoteName(column.name)}]`;
}
