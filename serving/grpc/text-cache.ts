const slots = 2_048;
const bytesMax = 24;

/**
 * Turns short ASCII bytes into strings that were made before: the names, datatypes and levels of requests come again
 * and again, and a comparison is a good deal cheaper than a new string. Of fixed size: a string that falls into a taken
 * slot takes it over.
 */
export class TextCache {
  private readonly kept = new Array<string | undefined>(slots);

  /** @returns undefined for what is long or not ASCII. */
  find(buffer: Buffer, from: number, to: number): string | undefined {
    if (to - from > bytesMax) return undefined;
    let hash = to - from;
    let all = 0;
    for (let at = from; at < to; at += 1) {
      const byte = buffer[at] ?? 0;
      hash = (Math.imul(hash, 31) + byte) | 0;
      all |= byte;
    }
    if (all >= 0x80) return undefined;
    const slot = (hash ^ (hash >>> 15)) & (slots - 1);
    const kept = this.kept[slot];
    if (kept !== undefined && isSame(kept, buffer, from, to)) return kept;
    const made = buffer.toString('latin1', from, to);
    this.kept[slot] = made;
    return made;
  }
}

function isSame(text: string, buffer: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) !== buffer[from + at]) return false;
  return true;
}
