/** One field of a protobuf message: a number in `value`, or the bytes from `start` to `end` of what has a length. */
export interface ProtobufField {
  number: number;
  wireType: 'varint' | 'fixed64' | 'bytes' | 'fixed32';
  /** Of a varint; exact up to 2^53. 0 for the other types. */
  value: number;
  start: number;
  end: number;
}

/** What makes bytes unreadable, with the place. */
export class ProtobufError extends Error {}

/**
 * The fields of the message that lies between two places, in order, unknown ones too
 * (https://protobuf.dev/programming-guides/encoding/). Strict where readers differ: groups, field 0, tags and numbers
 * longer than allowed and lengths beyond the message are errors.
 * @throws ProtobufError
 */
export function* protobufFields(bytes: Uint8Array, start = 0, end = bytes.length): Generator<ProtobufField> {
  let place = start;
  while (place < end) {
    const tag = readVarint(bytes, place, end, 5);
    const number = Math.floor(tag.value / 8);
    if (number === 0 || tag.value > 0xffffffff) throw new ProtobufError(`field number ${number} at byte ${place}`);
    place = tag.next;
    switch (tag.value % 8) {
      case 0: {
        const { value, next } = readVarint(bytes, place, end, 10);
        yield { number, wireType: 'varint', value, start: place, end: next };
        place = next;
        break;
      }
      case 1:
        yield { number, wireType: 'fixed64', value: 0, start: place, end: within(place + 8, end) };
        place += 8;
        break;
      case 2: {
        const length = readVarint(bytes, place, end, 5);
        const from = length.next;
        const to = within(from + length.value, end);
        yield { number, wireType: 'bytes', value: 0, start: from, end: to };
        place = to;
        break;
      }
      case 5:
        yield { number, wireType: 'fixed32', value: 0, start: place, end: within(place + 4, end) };
        place += 4;
        break;
      default:
        throw new ProtobufError(`wire type ${tag.value % 8} at byte ${place}`);
    }
  }
}

/**
 * The UTF-8 text of a field that has a length.
 * @throws ProtobufError for another wire type or bytes that are not UTF-8
 */
export function protobufText(bytes: Uint8Array, field: ProtobufField): string {
  expectWireType(field, 'bytes');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(field.start, field.end));
  } catch {
    throw new ProtobufError(`text at byte ${field.start} is not UTF-8`);
  }
}

/** @throws ProtobufError where a known field has a wire type that another reader might skip */
export function expectWireType(field: ProtobufField, wireType: ProtobufField['wireType']): void {
  if (field.wireType !== wireType)
    throw new ProtobufError(`field ${field.number} at byte ${field.start} is ${field.wireType}, not ${wireType}`);
}

function within(place: number, end: number): number {
  if (place > end) throw new ProtobufError(`cut off: ${place - end} bytes are missing at byte ${end}`);
  return place;
}

function readVarint(bytes: Uint8Array, start: number, end: number, bytesMax: number): { value: number; next: number } {
  let value = 0;
  for (let count = 0; count < bytesMax; count++) {
    const byte = bytes[within(start + count + 1, end) - 1] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * count);
    if (byte < 0x80) return { value, next: start + count + 1 };
  }
  throw new ProtobufError(`number at byte ${start} is longer than ${bytesMax} bytes`);
}
