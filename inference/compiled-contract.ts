import type { Contract, Feature } from '../domain/data/contract.js';
import { characterCount, isLongerThan, textProblem } from '../domain/text/plain-text.js';
import { admittedValue } from '../domain/data/admitted-value.js';
import type { InputTensor } from './input-tensor.js';
import { quoted, refusal } from './refusal.js';
import { numberReader, readBinaryNumbers, readBinaryStrings } from './tensor-values.js';

/** A feature's values, one a row: numbers rounded to FP32 with NaN for missing, or strings with '' for missing. */
export type Column = number[] | string[];

export interface Rows {
  count: number;
  /** In the order of the compiled contract's features. */
  columns: Column[];
}

export interface CompiledFeature {
  name: string;
  type: Feature['type'];
  /** Levels that the contract does not know, met since the start. */
  unseenLevels: number;
}

/** A contract turned into closures, one a feature, so that a request costs no look-up of rules. */
export interface CompiledContract {
  features: CompiledFeature[];
  /**
   * @param others what the route takes beside the contract's own features, none by default
   * @throws PerdureError `input/invalid` that names the feature, the row and the remedy.
   */
  readRows: (inputs: ReadonlyMap<string, InputTensor>, others?: OtherFeatures) => Rows;
  /** A row that satisfies the contract, for trying a model before it serves. */
  sampleRow: (number | string)[];
}

/**
 * Features that a version does not know and its route takes: ignored, once their values are found to be what some other
 * version takes.
 */
export type OtherFeatures = ReadonlyMap<string, OtherFeature>;

export interface OtherFeature {
  /** Undefined where any value will do. @throws PerdureError `input/invalid`. */
  check: ReadColumn | undefined;
  /** Told of each request that carries it. */
  seen: () => void;
}

export const requestRowsMax = 10_000;
const float32Max = 3.4028234663852886e38;

export type ReadColumn = (tensor: InputTensor, count: number) => Column;

/** @param order the features in the order in which rows are wanted, by default the contract's. */
export function compileContract(
  contract: Contract,
  order: readonly string[] = Object.keys(contract.features),
): CompiledContract {
  const compiled = order.map((name) => {
    const feature = contract.features[name];
    if (feature === undefined) throw new RangeError(`${name} is not a feature of the contract`);
    const state: CompiledFeature = { name, type: feature.type, unseenLevels: 0 };
    return {
      ...{ state, read: columnReader(name, feature, state), absent: absentValue(feature) },
      sample: admittedValue(feature) ?? (feature.type === 'number' ? NaN : ''),
    };
  });
  const required = compiled.filter(({ absent }) => absent === undefined).map(({ state }) => state.name);

  const readRows = (inputs: ReadonlyMap<string, InputTensor>, others?: OtherFeatures): Rows => {
    const rows = new RowCount();
    const columns = new Array<Column>(compiled.length);
    let known = 0;
    for (let index = 0; index < compiled.length; index += 1) {
      const one = compiled[index];
      if (one === undefined) break;
      const tensor = inputs.get(one.state.name);
      if (tensor === undefined) {
        if (one.absent === undefined)
          throw refusal(
            `Feature ${one.state.name} is missing.`,
            `Every request carries all of: ${required.join(', ')}.`,
          );
        continue;
      }
      known += 1;
      columns[index] = one.read(tensor, rows.of(tensor));
    }
    if (inputs.size !== known) readOthers(inputs, others, rows);
    const { count } = rows;
    if (count === -1)
      throw refusal('The request has none of the features of this model.', `Its features are: ${order.join(', ')}.`);
    if (known < compiled.length) {
      for (const [index, { absent }] of compiled.entries()) columns[index] ??= absentColumn(absent, count);
    }
    return { count, columns };
  };
  const own = new Set(order);
  const readOthers = (
    inputs: ReadonlyMap<string, InputTensor>,
    others: OtherFeatures | undefined,
    rows: RowCount,
  ): void => {
    const unknown = [...inputs.keys()].filter((name) => !own.has(name) && others?.has(name) !== true);
    if (unknown.length > 0) {
      const features = [...order, ...(others?.keys() ?? [])];
      throw refusal(
        `${unknown.map(quoted).join(', ')} is not a feature of this model.`,
        `Its features are: ${features.join(', ')}.`,
      );
    }
    for (const [name, tensor] of inputs) {
      const other = own.has(name) ? undefined : others?.get(name);
      if (other === undefined) continue;
      if (other.check !== undefined) other.check(tensor, rows.of(tensor));
      // Where a request carries nothing that is read, what is ignored says how many rows it has.
      else if (rows.count === -1) rows.of(tensor);
      other.seen();
    }
  };
  return { features: compiled.map((one) => one.state), readRows, sampleRow: compiled.map((one) => one.sample) };
}

/** How a feature's values are read and checked. @param state counts the levels that it does not list */
export function columnReader(name: string, feature: Feature, state: CompiledFeature): ReadColumn {
  return feature.type === 'number' ? numberColumn(name, feature) : stringColumn(name, feature, state);
}

/** What the model sees where a request does not carry a feature; undefined where every request must. */
function absentValue(feature: Feature): number | string | undefined {
  const missing = feature.nullable ? (feature.type === 'number' ? NaN : '') : undefined;
  return typeof feature.default === 'number' ? Math.fround(feature.default) : (feature.default ?? missing);
}

function absentColumn(absent: number | string | undefined, count: number): Column {
  return typeof absent === 'number'
    ? new Array<number>(count).fill(absent)
    : new Array<string>(count).fill(absent ?? '');
}

/** The same number of rows for every feature of a request. */
class RowCount {
  count = -1;
  private first = '';

  of(tensor: InputTensor): number {
    const rows = rowsOf(tensor);
    if (this.count === -1) {
      this.count = rows;
      this.first = tensor.name;
    } else if (rows !== this.count) {
      throw refusal(
        `Feature ${tensor.name} has ${rows} rows, but ${this.first} has ${this.count}.`,
        'Send the same number of rows for every feature.',
      );
    }
    return rows;
  }
}

function rowsOf({ name, shape, data }: InputTensor): number {
  const [rows = 0, width] = shape;
  if (shape.length < 1 || shape.length > 2 || (shape.length === 2 && width !== 1)) {
    throw refusal(`Feature ${name} has the shape ${quoted(shape)}.`, 'Send [rows, 1].');
  }
  if (rows < 1 || rows > requestRowsMax) {
    throw refusal(
      `Feature ${name} has ${rows} rows.`,
      `Send 1 to ${requestRowsMax.toLocaleString('en')} rows per request.`,
    );
  }
  if (data !== undefined && data.length !== rows) {
    throw refusal(
      `Feature ${name} has ${data.length} values, but its shape ${quoted(shape)} says ${rows}.`,
      'Make shape and data agree.',
    );
  }
  return rows;
}

function numberColumn(name: string, feature: Extract<Feature, { type: 'number' }>): ReadColumn {
  const { nullable } = feature;
  const min = Math.fround(feature.min ?? -float32Max);
  const max = Math.fround(feature.max ?? float32Max);
  const missing = (row: number) =>
    refusal(`Feature ${name}, row ${row}: the value is missing, and this feature is not nullable.`, 'Send a number.');
  const outside = (row: number, value: number) =>
    Number.isFinite(value) && (feature.min !== undefined || feature.max !== undefined)
      ? refusal(
          `Feature ${name}, row ${row}: ${value} is outside its range ${feature.min ?? '-∞'} … ${feature.max ?? '∞'}.`,
          `Send a value in range${nullable ? ', or null when it is missing' : ''}.`,
        )
      : refusal(
          `Feature ${name}, row ${row}: ${value} is not a finite FP32 number.`,
          `Send a finite number${nullable ? ', or null when it is missing' : ''}.`,
        );

  return (tensor, count) => {
    const reader = numberReader(tensor.datatype);
    if (reader === undefined)
      throw refusal(`Feature ${name} is a number, but its datatype is ${quoted(tensor.datatype)}.`, 'Send FP32.');
    const values: unknown[] =
      tensor.data ?? readBinaryNumbers(name, tensor.datatype, reader, tensor.bytes ?? Buffer.alloc(0), count);
    const column = new Array<number>(count);
    for (let row = 0; row < count; row += 1) {
      const value = values[row];
      if (typeof value === 'number') {
        const rounded = Math.fround(value);
        if (rounded >= min && rounded <= max) {
          if (reader.integer && !Number.isInteger(value)) {
            throw refusal(
              `Feature ${name}, row ${row}: ${value} is not an integer, but its datatype is ${tensor.datatype}.`,
              'Send FP32.',
            );
          }
          column[row] = rounded;
        } else if (Number.isNaN(value)) {
          if (!nullable) throw missing(row);
          column[row] = NaN;
        } else throw outside(row, value);
      } else if (value === null) {
        if (!nullable) throw missing(row);
        column[row] = NaN;
      } else
        throw refusal(
          `Feature ${name}, row ${row}: ${quoted(value)} is not a number.`,
          `Send a number${nullable ? ' or null' : ''}.`,
        );
    }
    return column;
  };
}

function stringColumn(name: string, feature: Extract<Feature, { type: 'string' }>, state: CompiledFeature): ReadColumn {
  const { nullable, closed, maxLength } = feature;
  const levels = feature.levels === undefined ? undefined : new Set(feature.levels);

  return (tensor, count) => {
    if (tensor.datatype !== 'BYTES')
      throw refusal(`Feature ${name} is a string, but its datatype is ${quoted(tensor.datatype)}.`, 'Send BYTES.');
    const values: unknown[] = tensor.data ?? readBinaryStrings(name, tensor.bytes ?? Buffer.alloc(0), count);
    const column = new Array<string>(count);
    for (let row = 0; row < count; row += 1) {
      const value = values[row];
      if (value === null || value === '') {
        if (!nullable)
          throw refusal(
            `Feature ${name}, row ${row}: the value is missing, and this feature is not nullable.`,
            'Send a string that is not empty.',
          );
        column[row] = '';
      } else if (typeof value === 'string') {
        if (isLongerThan(value, maxLength)) {
          throw refusal(
            `Feature ${name}, row ${row}: the string has ${characterCount(value)} characters.`,
            `Send at most ${maxLength}.`,
          );
        }
        if (levels === undefined || !levels.has(value)) {
          const problem = textProblem(value);
          if (problem !== undefined)
            throw refusal(`Feature ${name}, row ${row}: the string ${problem}.`, 'Send a plain text.');
          if (closed) {
            throw refusal(
              `Feature ${name}, row ${row}: ${quoted(value)} is not one of its levels.`,
              `Send one of: ${(feature.levels ?? []).slice(0, 50).join(', ')}.`,
            );
          }
          if (levels !== undefined) state.unseenLevels += 1;
        }
        column[row] = value;
      } else
        throw refusal(
          `Feature ${name}, row ${row}: ${quoted(value)} is not a string.`,
          `Send a string${nullable ? ' or null' : ''}.`,
        );
    }
    return column;
  };
}
