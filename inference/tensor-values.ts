import { isUtf8 } from 'node:buffer';
import { refusal } from './refusal.js';

type Reader = { bytes: number; integer: boolean; read: (buffer: Buffer, at: number) => number };

/**
 * Datatypes in which a number may arrive. All become FP32, the type that models are trained on, rounded to the nearest
 * as in training; what overflows FP32 falls outside every range and is refused.
 */
const numberReaders: Record<string, Reader> = {
  FP32: { bytes: 4, integer: false, read: (buffer, at) => buffer.readFloatLE(at) },
  FP64: { bytes: 8, integer: false, read: (buffer, at) => buffer.readDoubleLE(at) },
  INT8: { bytes: 1, integer: true, read: (buffer, at) => buffer.readInt8(at) },
  INT16: { bytes: 2, integer: true, read: (buffer, at) => buffer.readInt16LE(at) },
  INT32: { bytes: 4, integer: true, read: (buffer, at) => buffer.readInt32LE(at) },
  INT64: { bytes: 8, integer: true, read: (buffer, at) => Number(buffer.readBigInt64LE(at)) },
  UINT8: { bytes: 1, integer: true, read: (buffer, at) => buffer.readUInt8(at) },
  UINT16: { bytes: 2, integer: true, read: (buffer, at) => buffer.readUInt16LE(at) },
  UINT32: { bytes: 4, integer: true, read: (buffer, at) => buffer.readUInt32LE(at) },
  UINT64: { bytes: 8, integer: true, read: (buffer, at) => Number(buffer.readBigUInt64LE(at)) },
};

/** How a number's datatype is read, or undefined for a datatype that holds no numbers. */
export function numberReader(datatype: string): Reader | undefined {
  return Object.hasOwn(numberReaders, datatype) ? numberReaders[datatype] : undefined;
}

/**
 * The numbers of a binary tensor.
 * @throws PerdureError `input/invalid` when the bytes are not exactly `count` values.
 */
export function readBinaryNumbers(
  feature: string,
  datatype: string,
  reader: Reader,
  bytes: Buffer,
  count: number,
): number[] {
  checkSize(feature, datatype, reader, bytes, count);
  if (datatype === 'FP32') return fp32Values(bytes, count);
  const values = new Array<number>(count);
  for (let index = 0; index < count; index += 1) values[index] = reader.read(bytes, index * reader.bytes);
  return values;
}

function checkSize(feature: string, datatype: string, one: Pick<Reader, 'bytes'>, bytes: Buffer, count: number): void {
  if (bytes.length === count * one.bytes) return;
  throw refusal(
    `The binary tensor of feature ${feature} has ${bytes.length} bytes, but ${count} values of ${datatype} ` +
      `are ${count * one.bytes}.`,
    'Make shape, datatype and bytes agree.',
  );
}

/** The integers of a binary tensor, exact: those of 64 bits as bigints. @throws PerdureError `input/invalid`. */
export function readBinaryIntegers(
  feature: string,
  datatype: string,
  bytes: Buffer,
  count: number,
): (number | bigint)[] {
  const reader = numberReader(datatype);
  if (reader === undefined) throw refusal(`Feature ${feature} has the datatype ${datatype}.`, 'Send INT64.');
  checkSize(feature, datatype, reader, bytes, count);
  return Array.from({ length: count }, (_, index) => {
    if (datatype === 'INT64') return bytes.readBigInt64LE(index * 8);
    return datatype === 'UINT64' ? bytes.readBigUInt64LE(index * 8) : reader.read(bytes, index * reader.bytes);
  });
}

/** The values of a BOOL tensor: a byte each, 0 or 1. @throws PerdureError `input/invalid`. */
export function readBinaryBooleans(feature: string, bytes: Buffer, count: number): boolean[] {
  checkSize(feature, 'BOOL', { bytes: 1 }, bytes, count);
  return Array.from({ length: count }, (_, index) => {
    const byte = bytes[index];
    if (byte === 0 || byte === 1) return byte === 1;
    throw refusal(`Feature ${feature}, value ${index}: the byte ${byte} is neither 0 nor 1.`, 'Send BOOL.');
  });
}

/** The usual case, by the reads that the compiler turns into machine instructions. */
function fp32Values(bytes: Buffer, count: number): number[] {
  if (count === 1) return [bytes.readFloatLE(0)];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Array<number>(count);
  for (let index = 0; index < count; index += 1) values[index] = view.getFloat32(index * 4, true);
  return values;
}

/**
 * The strings of a BYTES tensor: each a length (4 bytes, little-endian) and that many bytes of UTF-8.
 * @throws PerdureError `input/invalid`.
 */
export function readBinaryStrings(feature: string, bytes: Buffer, count: number): string[] {
  const values = new Array<string>(count);
  let at = 0;
  for (let index = 0; index < count; index += 1) {
    const length = at + 4 <= bytes.length ? bytes.readUInt32LE(at) : undefined;
    if (length === undefined || at + 4 + length > bytes.length) {
      throw refusal(
        `The binary tensor of feature ${feature} ends inside row ${index}.`,
        'Each string is its length (4 bytes, little-endian) followed by its UTF-8 bytes.',
      );
    }
    const short = length <= shortLengthMax ? shortAscii(bytes, at + 4, length) : undefined;
    if (short !== undefined) {
      values[index] = short;
      at += 4 + length;
      continue;
    }
    const text = bytes.subarray(at + 4, at + 4 + length);
    if (!isUtf8(text))
      throw refusal(`Feature ${feature}, row ${index}: the bytes are not UTF-8.`, 'Encode strings as UTF-8.');
    values[index] = text.toString('utf8');
    at += 4 + length;
  }
  if (at !== bytes.length) {
    throw refusal(
      `The binary tensor of feature ${feature} has ${bytes.length - at} bytes after its ${count} strings.`,
      'Make shape and bytes agree.',
    );
  }
  return values;
}

/**
 * Codes and names, most of what categories are, are put together here faster than the call to the decoder alone takes.
 */
const shortLengthMax = 12;

/** Undefined where a byte is not ASCII. */
function shortAscii(bytes: Buffer, at: number, length: number): string | undefined {
  let text = '';
  for (let index = at; index < at + length; index += 1) {
    const code = bytes[index] ?? 0x80;
    if (code >= 0x80) return undefined;
    text += String.fromCharCode(code);
  }
  return text;
}
