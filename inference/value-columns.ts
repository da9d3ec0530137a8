import type { Feature, Item } from '../domain/data/feature/feature.js';
import type { FeatureValue } from '../domain/data/feature/feature-value.js';
import { lengthInput, missingInput, saysMissing } from '../domain/data/feature/model-inputs.js';
import { readValue, ValueProblem } from '../domain/data/feature/read-value.js';
import type { InputTensor } from './input-tensor.js';
import { quoted, refusal } from './refusal.js';
import {
  numberReader,
  readBinaryBooleans,
  readBinaryIntegers,
  readBinaryNumbers,
  readBinaryStrings,
} from './tensor-values.js';

type Inputs = ReadonlyMap<string, InputTensor>;

/**
 * Reads the values of a feature that is neither a number nor a string: each as `readValue` takes it, and what is
 * missing as the tensor beside it says, or as null in JSON.
 */
export function valueColumn(
  name: string,
  feature: Feature,
  onLevels: (levels: readonly string[]) => void,
): (tensor: InputTensor, count: number, inputs: Inputs) => FeatureValue[] {
  return (tensor, count, inputs) => {
    const missing = besides(inputs, missingInput(name), 'BOOL', count);
    const lengths = besides(inputs, lengthInput(name), 'INT64', count);
    const rawAt = rowReader(name, feature, tensor, count, lengths);
    const column = new Array<FeatureValue>(count);
    for (let row = 0; row < count; row += 1) {
      const value = readValue(feature, missing?.[row] === true ? null : rawAt(row));
      if (value instanceof ValueProblem) throw refusal(`Feature ${name}, row ${row}: ${value.problem}.`, value.remedy);
      if (feature.type === 'list' && feature.of.type === 'string' && value !== null) onLevels(value as string[]);
      column[row] = value;
    }
    return column;
  };
}

/** Names of the tensors that may stand beside a feature's own. */
export const besideTensors = (name: string, feature: Feature): string[] => [
  ...(saysMissing(feature) && feature.type !== 'vector' ? [] : [missingInput(name)]),
  ...(feature.type === 'list' ? [lengthInput(name)] : []),
];

function rowReader(
  name: string,
  feature: Feature,
  tensor: InputTensor,
  count: number,
  lengths: readonly unknown[] | undefined,
): (row: number) => unknown {
  const values = elementsOf(name, feature.type === 'list' ? feature.of : feature, tensor, count);
  if (tensor.nested === true) return (row) => values[row];
  if (feature.type !== 'vector' && feature.type !== 'list') return (row) => values[row];
  const width = tensor.shape[1] ?? 1;
  const cells = (row: number, length: number) => values.slice(row * width, row * width + length);
  if (feature.type === 'vector')
    return (row) => {
      const vector = cells(row, width);
      return vector.every((one) => one === null) ? null : vector;
    };
  return (row) => {
    if (lengths === undefined) return withoutTail(cells(row, width));
    const length = Number(lengths[row]);
    if (Number.isInteger(length) && length >= 0 && length <= width) return cells(row, length);
    throw refusal(
      `Feature ${lengthInput(name)}, row ${row}: ${String(lengths[row])} is no length of a list of at most ${width}.`,
      `Send 0 to ${width}.`,
    );
  };
}

/** In JSON null fills up a list that is shorter than others. */
function withoutTail(cells: unknown[]): unknown[] {
  let length = cells.length;
  while (length > 0 && cells[length - 1] === null) length -= 1;
  return cells.slice(0, length);
}

function besides(inputs: Inputs, name: string, datatype: 'BOOL' | 'INT64', count: number): unknown[] | undefined {
  const tensor = inputs.get(name);
  if (tensor === undefined) return undefined;
  const [rows, width = 1] = tensor.shape;
  if (tensor.datatype !== datatype || rows !== count || width !== 1 || tensor.shape.length > 2)
    throw refusal(
      `Feature ${name} has the datatype ${quoted(tensor.datatype)} and the shape ${quoted(tensor.shape)}.`,
      `Send ${datatype} of the shape [${count}, 1].`,
    );
  const values =
    tensor.data ??
    (datatype === 'BOOL'
      ? readBinaryBooleans(name, tensor.bytes ?? Buffer.alloc(0), count)
      : readBinaryIntegers(name, datatype, tensor.bytes ?? Buffer.alloc(0), count));
  if (values.length !== count)
    throw refusal(`Feature ${name} has ${values.length} values for ${count} rows.`, 'Make shape and data agree.');
  const wrong = values.findIndex((one) => (datatype === 'BOOL' ? typeof one !== 'boolean' : !isCount(one)));
  if (wrong === -1) return values;
  throw refusal(`Feature ${name}, row ${wrong}: ${String(values[wrong])} is no ${datatype}.`, `Send ${datatype}.`);
}

const isCount = (value: unknown): boolean => typeof value === 'bigint' || Number.isInteger(value);

const integerTypes = ['INT64', 'INT32', 'INT16', 'INT8', 'UINT64', 'UINT32', 'UINT16', 'UINT8'];
const numberTypes = ['FP32', 'FP64', ...integerTypes];

/** In which datatypes a type may come, the usual one first. */
const datatypesOf: Record<Item['type'] | 'vector', readonly string[]> = {
  number: numberTypes,
  vector: numberTypes,
  integer: integerTypes,
  boolean: ['BOOL'],
  string: ['BYTES'],
  text: ['BYTES'],
  timestamp: ['INT64', 'BYTES'],
};

/** All values of a tensor, one after the other; of nested data a list a row. */
function elementsOf(
  name: string,
  { type }: { type: Item['type'] | 'vector' | 'list' },
  { datatype, data, bytes = Buffer.alloc(0), shape }: InputTensor,
  rows: number,
): readonly unknown[] {
  const datatypes = type === 'list' ? [] : datatypesOf[type];
  if (!datatypes.includes(datatype))
    throw refusal(
      `Feature ${name} is ${type === 'integer' ? 'an' : 'a'} ${type}, but its datatype is ${quoted(datatype)}.`,
      `Send ${datatypes[0]}${type === 'timestamp' ? ', microseconds since 1970 UTC, or BYTES, ISO 8601' : ''}.`,
    );
  if (data !== undefined) return data.includes('') && type === 'timestamp' ? data.map((one) => one || null) : data;
  const count = rows * (shape[1] ?? 1);
  if (datatype === 'BOOL') return readBinaryBooleans(name, bytes, count);
  if (datatype === 'BYTES') {
    const texts = readBinaryStrings(name, bytes, count);
    return type === 'timestamp' ? texts.map((text) => (text === '' ? null : text)) : texts;
  }
  const reader = numberReader(datatype);
  return reader === undefined || type === 'integer' || type === 'timestamp'
    ? readBinaryIntegers(name, datatype, bytes, count)
    : readBinaryNumbers(name, datatype, reader, bytes, count);
}
