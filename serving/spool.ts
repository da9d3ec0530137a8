import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync } from 'node:fs';
import { open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

export interface SpoolOptions {
  /** Holds one folder a stream (a model). */
  folder: string;
  /** Distinguishes this process's segments from every other's. */
  bootId: string;
  segmentBytesMax: number;
  segmentAgeMaxMs: number;
  /** Of all segments together. */
  bytesMax: number;
  /** What to do at `bytesMax`: drop the oldest closed segments, or refuse new lines. */
  whenFull: 'drop-oldest' | 'refuse';
  flushEveryMs: number;
  observer: {
    bytes: (bytes: number) => void;
    lost: (lines: number, reason: 'full' | 'unwritten') => void;
  };
}

interface Stream {
  name: string;
  pending: string[];
  pendingLines: number;
  open: { handle: FileHandle; path: string; bytes: number; lines: number; openedAt: number } | undefined;
}

const openSuffix = '.open';
export const segmentSuffix = '.ndjson';
/** Text that waits in memory at most, while the disk does not keep up. */
const pendingLinesMax = 200_000;

/**
 * Append-only log on the gateway's disk: lines go to a segment file per stream, a closed segment is `<time>-<boot>-<number>.ndjson` and waits to be shipped.
 * A process that dies leaves its open segment behind; the next one closes it, a torn last line included: readers skip what is not whole.
 */
export class Spool {
  private readonly streams = new Map<string, Stream>();
  /** `lines` is undefined where an earlier process wrote them: they are counted only when they are dropped. */
  private readonly closedSegments = new Map<string, { bytes: number; lines: number | undefined }>();
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private number = 0;
  private bytes = 0;

  constructor(private readonly options: SpoolOptions) {}

  /** Adopts what an earlier process left and begins to flush. Call it before the first line. */
  async start(): Promise<void> {
    const { folder, flushEveryMs } = this.options;
    mkdirSync(folder, { recursive: true });
    for (const stream of await readdir(folder)) {
      for (const name of await readdir(path.join(folder, stream)).catch(() => [])) {
        let file = path.join(folder, stream, name);
        if (name.endsWith(openSuffix)) {
          const closed = file.slice(0, -openSuffix.length);
          await rename(file, closed);
          file = closed;
        }
        if (file.endsWith(segmentSuffix)) this.closedSegments.set(file, { bytes: (await stat(file)).size, lines: undefined });
      }
    }
    this.recount();
    this.timer = setInterval(() => void this.flush(), flushEveryMs);
  }

  /** Takes one line (without its end); it is on disk within `flushEveryMs`. */
  append(stream: string, line: string): void {
    const one = this.streamOf(stream);
    if (one.pendingLines >= pendingLinesMax) {
      this.options.observer.lost(1, 'unwritten');
      return;
    }
    one.pending.push(line);
    one.pendingLines += 1;
  }

  /** Takes lines and ends when they are safe on disk, a power cut included. @throws when the spool is full or the disk fails: nothing is then promised. */
  async appendDurably(stream: string, lines: readonly string[]): Promise<void> {
    if (this.isFull()) throw new Error('the spool is full');
    const text = `${lines.join('\n')}\n`;
    const write = this.writing.then(() => this.write(this.streamOf(stream), text, lines.length, true));
    this.writing = write.catch(() => undefined);
    await write;
  }

  isFull(): boolean {
    return this.bytes >= this.options.bytesMax;
  }

  /** Writes what waits in memory; closes segments that are large or old enough. */
  flush(): Promise<void> {
    this.writing = this.writing.then(async () => {
      for (const stream of this.streams.values()) {
        if (stream.pendingLines > 0) {
          const { pending, pendingLines } = stream;
          stream.pending = [];
          stream.pendingLines = 0;
          try {
            await this.write(stream, `${pending.join('\n')}\n`, pendingLines, false);
          } catch {
            this.options.observer.lost(pendingLines, 'unwritten');
          }
        }
        const { open: segment } = stream;
        if (
          segment &&
          (segment.bytes >= this.options.segmentBytesMax || performance.now() - segment.openedAt >= this.options.segmentAgeMaxMs)
        ) {
          await this.closeSegment(stream);
        }
      }
      if (this.options.whenFull === 'drop-oldest') await this.dropOldest();
      this.recount();
    });
    return this.writing;
  }

  /** Flushes and closes every segment. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
    for (const stream of this.streams.values()) await this.closeSegment(stream);
  }

  /** Takes a segment off the books once it is in the object store and off the disk. */
  forget(file: string): void {
    this.closedSegments.delete(file);
    this.recount();
  }

  status(): { bytes: number; segments: number } {
    return { bytes: this.bytes, segments: this.closedSegments.size };
  }

  private streamOf(name: string): Stream {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, pending: [], pendingLines: 0, open: undefined };
      this.streams.set(name, stream);
      mkdirSync(path.join(this.options.folder, name), { recursive: true });
    }
    return stream;
  }

  private async write(stream: Stream, text: string, lines: number, durable: boolean): Promise<void> {
    stream.open ??= await this.openSegment(stream);
    const segment = stream.open;
    const bytes = Buffer.from(text);
    try {
      await segment.handle.appendFile(bytes);
      if (durable) await segment.handle.sync();
    } catch (error) {
      // A part may be on disk: later lines go to a new segment, so that the torn line is this one's last.
      await this.closeSegment(stream).catch(() => undefined);
      throw error;
    }
    segment.bytes += bytes.length;
    segment.lines += lines;
    this.bytes += bytes.length;
  }

  private async openSegment(stream: Stream): Promise<NonNullable<Stream['open']>> {
    this.number += 1;
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const name = `${time}-${this.options.bootId}-${String(this.number).padStart(6, '0')}${segmentSuffix}${openSuffix}`;
    const file = path.join(this.options.folder, stream.name, name);
    return { handle: await open(file, 'ax'), path: file, bytes: 0, lines: 0, openedAt: performance.now() };
  }

  private async closeSegment(stream: Stream): Promise<void> {
    const segment = stream.open;
    if (segment === undefined) return;
    stream.open = undefined;
    await segment.handle.close();
    const file = segment.path.slice(0, -openSuffix.length);
    await rename(segment.path, file);
    this.closedSegments.set(file, { bytes: segment.bytes, lines: segment.lines });
  }

  private async dropOldest(): Promise<void> {
    this.recount();
    const oldestFirst = [...this.closedSegments].sort(([left], [right]) => (path.basename(left) < path.basename(right) ? -1 : 1));
    for (const [file, { bytes, lines }] of oldestFirst) {
      if (!this.isFull()) return;
      const lost = lines ?? (await countLines(file));
      await rm(file, { force: true });
      this.bytes -= bytes;
      // The shipper may have taken it meanwhile: then nothing was lost.
      if (this.closedSegments.delete(file) && lost > 0) this.options.observer.lost(lost, 'full');
    }
  }

  private recount(): void {
    let bytes = 0;
    for (const segment of this.closedSegments.values()) bytes += segment.bytes;
    for (const { open: segment } of this.streams.values()) bytes += segment?.bytes ?? 0;
    this.bytes = bytes;
    this.options.observer.bytes(bytes);
  }
}

/** Lines of a segment that an earlier process wrote, a torn last one included; none when it is gone. */
async function countLines(file: string): Promise<number> {
  let lines = 0;
  let last = 10;
  try {
    for await (const chunk of createReadStream(file)) {
      if (!Buffer.isBuffer(chunk)) continue;
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines += 1;
      last = chunk.at(-1) ?? last;
    }
  } catch {
    return 0;
  }
  return last === 10 ? lines : lines + 1;
}

/** A short name for a process's life, for segment names and ids. */
export function bootIdOf(gatewayId: string, startedAtMs: number): string {
  return createHash('sha256').update(`${gatewayId} ${startedAtMs} ${process.pid}`).digest('hex').slice(0, 8);
}
