/** Bytes that wait in memory at most, while the disk does not keep up. */
const bytesMax = 64 * 1024 * 1024;
const chunkBytes = 128 * 1024;
/** Empty chunks kept for the next lines: memory in use already costs nothing, new memory is cleared page by page. */
const spareMax = 16;

/**
 * Lines that wait to be written. Each is copied into a chunk at once: kept as strings they would be joined from many
 * small pieces, and every piece be moved by the garbage collector before it is written.
 */
export class PendingLines {
  rows = 0;
  private full: Buffer[] = [];
  private waiting = 0;
  private open: Buffer | undefined;
  private at = 0;
  private readonly spare: Buffer[] = [];

  /** Takes a line, without its end, that stands for `rows` rows; false when too much waits already. */
  add(line: string, rows: number): boolean {
    // Three bytes of UTF-8 for each unit of a string at most.
    const bytesAtMost = line.length * 3 + 1;
    if (this.waiting + bytesAtMost > bytesMax) return false;
    if (bytesAtMost > chunkBytes) {
      this.closeChunk();
      const whole = Buffer.from(`${line}\n`);
      this.full.push(whole);
      this.waiting += whole.length;
    } else {
      if (this.open !== undefined && this.at + bytesAtMost > chunkBytes) this.closeChunk();
      this.open ??= this.spare.pop() ?? Buffer.allocUnsafeSlow(chunkBytes);
      const length = this.open.write(line, this.at, 'utf8') + 1;
      this.at += length;
      this.open[this.at - 1] = 10;
      this.waiting += length;
    }
    this.rows += rows;
    return true;
  }

  /** All lines in order, each with its end. Give the chunks back when they are written. */
  take(): { chunks: Buffer[]; rows: number } {
    this.closeChunk();
    const taken = { chunks: this.full, rows: this.rows };
    this.full = [];
    this.waiting = 0;
    this.rows = 0;
    return taken;
  }

  giveBack(chunks: readonly Buffer[]): void {
    for (const { buffer } of chunks) {
      if (buffer.byteLength === chunkBytes && this.spare.length < spareMax) this.spare.push(Buffer.from(buffer));
    }
  }

  private closeChunk(): void {
    if (this.open !== undefined) this.full.push(this.open.subarray(0, this.at));
    this.open = undefined;
    this.at = 0;
  }
}
