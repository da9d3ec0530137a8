import { isUtf8 } from 'node:buffer';
import { TextCache } from './text-cache.js';

/** Kinds of fields on the wire that are still in use. */
const wireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const texts = new TextCache();

/**
 * Reads protobuf's wire format in place, field by field. The generated decoder makes an object of every message and
 * copies all bytes; where thousands of requests with dozens of tensors come in a second, that is most of what decoding
 * costs.
 */
export class WireReader {
  /** Of the field last read. */
  field = 0;
  private type = 0;
  private readonly view: DataView;

  constructor(
    private readonly buffer: Buffer,
    private at = 0,
    private end = buffer.length,
  ) {
    this.view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  /** Moves to the next field. @returns false at the end. @throws RangeError for what is no field. */
  next(): boolean {
    if (this.at >= this.end) return false;
    const tag = this.varint();
    this.field = Math.floor(tag / 8);
    this.type = tag & 7;
    if (this.field === 0) throw new RangeError('a field has the number 0');
    return true;
  }

  /** Reads the message in this field with `read`, which asks this same reader for its fields. */
  message<T>(read: (reader: WireReader) => T): T {
    const { end } = this;
    const until = this.takeBytes();
    this.at = until.from;
    this.end = until.to;
    const message = read(this);
    this.at = until.to;
    this.end = end;
    return message;
  }

  /** An integer, exact up to 2^53 and rounded beyond; negative ones in two's complement of 64 bits. */
  varint(): number {
    let byte = this.byte();
    if (byte < 0x80) return byte;
    let low = byte & 0x7f;
    for (let scale = 0x80; scale < 0x10000000; scale *= 0x80) {
      byte = this.byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return low;
    }
    // 28 bits are read, 36 follow, the highest of which is the sign.
    let high = 0;
    for (let scale = 1; scale <= 0x800000000; scale *= 0x80) {
      byte = this.byte();
      high += (byte & 0x7f) * scale;
      if (byte < 0x80) return (high >= 0x800000000 ? high - 0x1000000000 : high) * 0x10000000 + low;
    }
    throw new RangeError(`field ${this.field} has an integer of more than 10 bytes`);
  }

  /** As `varint`, all 64 bits: a bigint where a number would be rounded. */
  exactVarint(): number | bigint {
    const from = this.at;
    const rounded = this.varint();
    if (Number.isSafeInteger(rounded)) return rounded;
    let exact = 0n;
    for (let at = from; at < this.at; at += 1)
      exact |= BigInt((this.buffer[at] ?? 0) & 0x7f) << BigInt(7 * (at - from));
    return BigInt.asIntN(64, exact);
  }

  /** The bytes of a string, a message or packed values, not copied. */
  bytes(): Buffer {
    const { from, to } = this.takeBytes();
    return this.buffer.subarray(from, to);
  }

  /** @returns undefined for what is not UTF-8. */
  text(): string | undefined {
    const { from, to } = this.takeBytes();
    const cached = texts.find(this.buffer, from, to);
    if (cached !== undefined) return cached;
    return isUtf8(this.buffer.subarray(from, to)) ? this.buffer.toString('utf8', from, to) : undefined;
  }

  float(): number {
    return this.view.getFloat32(this.take(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** Values of a repeated field, packed or one by one, into `values`. */
  repeated<Value>(read: (reader: WireReader) => Value, values: Value[]): void {
    if (this.type !== wireType.bytes) {
      values.push(read(this));
      return;
    }
    const { from, to } = this.takeBytes();
    this.at = from;
    while (this.at < to) values.push(read(this));
    if (this.at !== to) throw new RangeError(`the packed values of field ${this.field} end inside one`);
  }

  skip(): void {
    if (this.type === wireType.varint) this.varint();
    else if (this.type === wireType.fixed64) this.take(8);
    else if (this.type === wireType.fixed32) this.take(4);
    else this.takeBytes();
  }

  private takeBytes(): { from: number; to: number } {
    if (this.type !== wireType.bytes) throw new RangeError(`field ${this.field} has the wire type ${this.type}`);
    const length = this.varint();
    const from = this.take(length);
    return { from, to: from + length };
  }

  /** Goes on by so many bytes. @returns where they start. */
  private take(length: number): number {
    const from = this.at;
    if (length < 0 || from + length > this.end) throw new RangeError(`field ${this.field} ends after the message does`);
    this.at = from + length;
    return from;
  }

  private byte(): number {
    const byte = this.at < this.end ? this.buffer[this.at] : undefined;
    if (byte === undefined) throw new RangeError(`field ${this.field} ends after the message does`);
    this.at += 1;
    return byte;
  }
}
