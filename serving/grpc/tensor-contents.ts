import { quoted, refusal } from '../../inference/refusal.js';
import { WireReader } from './wire-reader.js';

type Numbers = { field: number; read: (reader: WireReader) => number | bigint | boolean };

const varint = (reader: WireReader) => reader.varint();
const boolean: Numbers = { field: 1, read: (reader) => reader.varint() !== 0 };
const signed: Numbers = { field: 2, read: varint };
const unsigned: Numbers = { field: 4, read: varint };

/** In which field of InferTensorContents the numbers of a datatype stand, and how they are written there. */
const numbersOf: Readonly<Record<string, Numbers>> = {
  BOOL: boolean,
  INT8: signed,
  INT16: signed,
  INT32: signed,
  INT64: { field: 3, read: (reader) => reader.exactVarint() },
  UINT8: unsigned,
  UINT16: unsigned,
  UINT32: unsigned,
  UINT64: { field: 5, read: (reader) => unsigned64(reader.exactVarint()) },
  FP32: { field: 6, read: (reader) => reader.float() },
  FP64: { field: 7, read: (reader) => reader.double() },
};
const bytesField = 8;

/**
 * The typed values of a tensor: those in the field that belongs to its datatype.
 * @throws PerdureError `input/invalid`.
 */
export function readContents(name: string, datatype: string, contents: Buffer | undefined): unknown[] {
  if (contents === undefined)
    throw refusal(`Feature ${quoted(name)} has no values.`, 'Send contents, or raw_input_contents.');
  const reader = new WireReader(contents);
  if (datatype === 'BYTES') return readStrings(name, reader);
  const numbers = Object.hasOwn(numbersOf, datatype) ? numbersOf[datatype] : undefined;
  if (numbers === undefined) {
    throw refusal(
      `Feature ${quoted(name)} has the datatype ${quoted(datatype)}, for which there are no contents.`,
      'Send FP32 or BYTES.',
    );
  }
  const values: (number | bigint | boolean)[] = [];
  return readFields(name, reader, numbers.field, () => reader.repeated(numbers.read, values), values);
}

function readStrings(name: string, reader: WireReader): string[] {
  const values: string[] = [];
  return readFields(
    name,
    reader,
    bytesField,
    () => {
      const text = reader.text();
      if (text === undefined)
        throw refusal(`Feature ${name}, row ${values.length}: the bytes are not UTF-8.`, 'Encode strings as UTF-8.');
      values.push(text);
    },
    values,
  );
}

function readFields<T>(name: string, reader: WireReader, field: number, take: () => void, values: T[]): T[] {
  try {
    while (reader.next()) {
      if (reader.field === field) take();
      else reader.skip();
    }
  } catch (error) {
    if (error instanceof RangeError)
      throw refusal(
        `The contents of feature ${quoted(name)} cannot be read: ${error.message}.`,
        'Send InferTensorContents.',
      );
    throw error;
  }
  return values;
}

/** A number of 64 bits without its sign. */
function unsigned64(value: number | bigint): number | bigint {
  return value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
}
