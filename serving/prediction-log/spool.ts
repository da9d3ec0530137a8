import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { rowsOfLine } from './rows-of-line.js';
import { PendingLines } from './pending-lines.js';
import { messageOf } from '../../domain/errors.js';

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
    lost: (rows: number, reason: 'full' | 'unwritten') => void;
    /** The disk refuses a stream's lines, with the reason, or takes them again. */
    writing: (stream: string, problem: string | undefined) => void;
  };
}

/** A line that still gets rows. */
export interface OpenLine {
  readonly rows: number;
  /** What it is now, without its end. */
  line: () => string;
}

interface Stream {
  name: string;
  pending: PendingLines;
  openLines: OpenLine[];
  open: Segment | undefined;
}

interface Segment {
  handle: FileHandle;
  path: string;
  bytes: number;
  rows: number;
  openedAt: number;
}

const openSuffix = '.open';
export const segmentSuffix = '.ndjson';
/** Lines of a segment that no log can hold. */
export const setAsideSuffix = '.bad';
/** How earlier versions set whole segments aside for the sake of one line: they are tried again. */
const damagedSuffix = '.damaged';

/**
 * Append-only log on the gateway's disk: lines go to a segment file per stream, a closed segment is
 * `<time>-<boot>-<number>.ndjson` and waits to be shipped. A process that dies leaves its open segment behind; the next
 * one closes it, a torn last line included: readers skip what is not whole.
 */
export class Spool {
  private readonly streams = new Map<string, Stream>();
  /** `rows` is undefined where an earlier process wrote them: they are counted only when they are dropped. */
  private readonly closedSegments = new Map<string, { bytes: number; rows: number | undefined }>();
  private readonly unnamed: Segment[] = [];
  /** Streams whose last write failed. */
  private readonly failing = new Set<string>();
  private writing: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private number = 0;
  private bytes = 0;

  constructor(private readonly options: SpoolOptions) {}

  /** Adopts what an earlier process left and begins to flush. Call it before the first line. */
  async start(): Promise<void> {
    const { folder, flushEveryMs } = this.options;
    for (const stream of await readdir(folder).catch(() => [])) {
      for (const name of await readdir(path.join(folder, stream)).catch(() => [])) {
        let file = path.join(folder, stream, name);
        const suffix = [openSuffix, damagedSuffix].find((one) => name.endsWith(`${segmentSuffix}${one}`));
        if (suffix !== undefined) {
          const closed = file.slice(0, -suffix.length);
          await rename(file, closed);
          file = closed;
        }
        if (file.endsWith(segmentSuffix))
          this.closedSegments.set(file, { bytes: (await stat(file)).size, rows: undefined });
      }
    }
    this.recount();
    this.timer = setInterval(() => void this.flush(), flushEveryMs);
  }

  /**
   * Takes one line (without its end); it is on disk within `flushEveryMs`.
   * @param rows that it stands for, should it be lost
   */
  append(stream: string, line: string, rows = 1): void {
    if (!this.streamOf(stream).pending.add(line, rows)) this.options.observer.lost(rows, 'unwritten');
  }

  /** The first open line of the stream that is the wanted one. */
  openLine<Line extends OpenLine>(stream: string, isWanted: (line: OpenLine) => line is Line): Line | undefined {
    return this.streamOf(stream).openLines.find(isWanted);
  }

  /** Keeps a line open that gets more rows, until the next flush at most. */
  begin(stream: string, line: OpenLine): void {
    this.streamOf(stream).openLines.push(line);
  }

  /** Ends an open line before the next flush does. */
  finish(stream: string, line: OpenLine): void {
    const { openLines } = this.streamOf(stream);
    openLines.splice(openLines.indexOf(line), 1);
    this.append(stream, line.line(), line.rows);
  }

  /**
   * Takes lines and ends when they are safe on disk, a power cut included.
   * @throws when the spool is full or the disk fails: nothing is then promised.
   */
  async appendDurably(stream: string, lines: readonly string[]): Promise<void> {
    if (this.isFull()) throw new Error('the spool is full');
    const text = Buffer.from(`${lines.join('\n')}\n`);
    const write = this.writing.then(() => this.write(this.streamOf(stream), [text], lines.length, true));
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
        for (const line of [...stream.openLines]) this.finish(stream.name, line);
        if (stream.pending.rows > 0) {
          const { chunks, rows } = stream.pending.take();
          try {
            await this.write(stream, chunks, rows, false);
          } catch {
            this.options.observer.lost(rows, 'unwritten');
          }
          stream.pending.giveBack(chunks);
        }
        const { open: segment } = stream;
        if (
          segment &&
          (segment.bytes >= this.options.segmentBytesMax ||
            performance.now() - segment.openedAt >= this.options.segmentAgeMaxMs)
        ) {
          await this.closeSegment(stream);
        }
      }
      await this.nameClosed();
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

  status(): { bytes: number; segments: number; writable: boolean } {
    return { bytes: this.bytes, segments: this.closedSegments.size, writable: this.failing.size === 0 };
  }

  private streamOf(name: string): Stream {
    let stream = this.streams.get(name);
    if (stream === undefined) {
      stream = { name, pending: new PendingLines(), openLines: [], open: undefined };
      this.streams.set(name, stream);
    }
    return stream;
  }

  private async write(stream: Stream, chunks: readonly Buffer[], rows: number, durable: boolean): Promise<void> {
    try {
      await this.writeSegment(stream, chunks, rows, durable);
    } catch (error) {
      if (!this.failing.has(stream.name)) this.options.observer.writing(stream.name, messageOf(error));
      this.failing.add(stream.name);
      throw error;
    }
    if (this.failing.delete(stream.name)) this.options.observer.writing(stream.name, undefined);
  }

  private async writeSegment(stream: Stream, chunks: readonly Buffer[], rows: number, durable: boolean): Promise<void> {
    stream.open ??= await this.openSegment(stream);
    const segment = stream.open;
    try {
      for (const chunk of chunks) await segment.handle.appendFile(chunk);
      if (durable) await segment.handle.sync();
    } catch (error) {
      // A part may be on disk: it is cut off, so that what counts as lost is not found all the same. Later lines go to
      // a new segment: where a torn one stays, it is this one's last.
      await segment.handle.truncate(segment.bytes).catch(() => undefined);
      await this.closeSegment(stream);
      throw error;
    }
    for (const { length } of chunks) {
      segment.bytes += length;
      this.bytes += length;
    }
    segment.rows += rows;
  }

  private async openSegment(stream: Stream): Promise<NonNullable<Stream['open']>> {
    this.number += 1;
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const name = `${time}-${this.options.bootId}-${String(this.number).padStart(6, '0')}${segmentSuffix}${openSuffix}`;
    const file = path.join(this.options.folder, stream.name, name);
    await mkdir(path.dirname(file), { recursive: true });
    return { handle: await open(file, 'ax'), path: file, bytes: 0, rows: 0, openedAt: performance.now() };
  }

  private async closeSegment(stream: Stream): Promise<void> {
    const segment = stream.open;
    if (segment === undefined) return;
    stream.open = undefined;
    await segment.handle.close().catch(() => undefined);
    this.unnamed.push(segment);
    await this.nameClosed();
  }

  /**
   * Gives closed segments the name under which they are shipped; what the disk refuses now is tried again with the next
   * flush.
   */
  private async nameClosed(): Promise<void> {
    const refused: Segment[] = [];
    for (const segment of this.unnamed.splice(0)) {
      const file = segment.path.slice(0, -openSuffix.length);
      try {
        await rename(segment.path, file);
        this.closedSegments.set(file, { bytes: segment.bytes, rows: segment.rows });
      } catch {
        refused.push(segment);
      }
    }
    this.unnamed.push(...refused);
  }

  private async dropOldest(): Promise<void> {
    this.recount();
    const oldestFirst = [...this.closedSegments].sort(([left], [right]) =>
      path.basename(left) < path.basename(right) ? -1 : 1,
    );
    for (const [file, { bytes, rows }] of oldestFirst) {
      if (!this.isFull()) return;
      const lost = rows ?? (await countRows(file));
      try {
        await rm(file, { force: true });
      } catch {
        continue; // A disk that refuses that has no room to make either.
      }
      this.bytes -= bytes;
      // The shipper may have taken it meanwhile: then nothing was lost.
      if (this.closedSegments.delete(file) && lost > 0) this.options.observer.lost(lost, 'full');
    }
  }

  private recount(): void {
    let bytes = 0;
    for (const segment of this.closedSegments.values()) bytes += segment.bytes;
    for (const { open: segment } of this.streams.values()) bytes += segment?.bytes ?? 0;
    for (const segment of this.unnamed) bytes += segment.bytes;
    this.bytes = bytes;
    this.options.observer.bytes(bytes);
  }
}

/** Rows of a segment that an earlier process wrote, a torn last line included; none when it is gone. */
async function countRows(file: string): Promise<number> {
  let rows = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity }))
      rows += rowsOfLine(line);
  } catch {
    return 0;
  }
  return rows;
}

/** A short name for a process's life, for segment names and ids. */
export function bootIdOf(gatewayId: string, startedAtMs: number): string {
  return createHash('sha256').update(`${gatewayId} ${startedAtMs} ${process.pid}`).digest('hex').slice(0, 8);
}
