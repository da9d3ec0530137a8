import type { Contract } from '../domain/data/contract.js';
import type { Feature, FeatureOf } from '../domain/data/feature/feature.js';
import { valueTypeOf, type FeatureValue, type ValueType } from '../domain/data/feature/feature-value.js';
import {
  modelInputs,
  requestTensor,
  type ModelInput,
  type RequestTensor,
} from '../domain/data/feature/model-inputs.js';
import { readValue, ValueProblem } from '../domain/data/feature/read-value.js';
import { characterCount, isLongerThan, textProblem } from '../domain/text/plain-text.js';
import { admittedValue } from '../domain/data/admitted-value.js';
import type { InputTensor } from './input-tensor.js';
import { quoted, refusal } from './refusal.js';
import { besideTensors, valueColumn } from './value-columns.js';
import { numberReader, readBinaryNumbers, readBinaryStrings } from './tensor-values.js';

/**
 * A feature's values, one a row: numbers rounded to FP32 with NaN for missing, strings and texts with '' for missing,
 * all others with null.
 */
export type Column = FeatureValue[];

export interface Rows {
  count: number;
  /** In the order of the compiled contract's features. */
  columns: Column[];
}

export interface CompiledFeature {
  name: string;
  type: ValueType;
  /** As callers send it: datatype, and values a row. */
  tensor: RequestTensor;
  /** As the graph gets it. */
  inputs: ModelInput[];
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
  sampleRow: FeatureValue[];
}

/**
 * Features that a version does not know and its route takes: ignored, once their values are found to be what some other
 * version takes.
 */
export type OtherFeatures = ReadonlyMap<string, OtherFeature>;

export interface OtherFeature {
  /** Undefined where any value will do. @throws PerdureError `input/invalid`. */
  check: ReadColumn | undefined;
  /** One value a row where it is absent. */
  width?: Width;
  /** Told of each request that carries it. */
  seen: () => void;
}

export const requestRowsMax = 10_000;
const float32Max = 3.4028234663852886e38;

type Inputs = ReadonlyMap<string, InputTensor>;
/** @param inputs all of the request, for what stands beside the feature */
export type ReadColumn = (tensor: InputTensor, count: number, inputs: Inputs) => Column;

/** @param order the features in the order in which rows are wanted, by default the contract's. */
export function compileContract(
  contract: Contract,
  order: readonly string[] = Object.keys(contract.features),
): CompiledContract {
  const compiled = order.map((name) => {
    const feature = contract.features[name];
    if (feature === undefined) throw new RangeError(`${name} is not a feature of the contract`);
    const state = compiledFeature(name, feature);
    return {
      ...{ state, read: columnReader(name, feature, state), absent: absentValue(feature) },
      ...{ width: widthOf(feature), beside: besideTensors(name, feature) },
      sample: admittedValue(feature) ?? missingValue(feature),
    };
  });
  const required = compiled.filter(({ absent }) => absent === undefined).map(({ state }) => state.name);

  const readRows = (inputs: ReadonlyMap<string, InputTensor>, others?: OtherFeatures): Rows => {
    const rows = new RowCount();
    const columns = new Array<Column | undefined>(compiled.length).fill(undefined);
    let known = 0;
    let beside = 0;
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
      columns[index] = one.read(tensor, rows.of(tensor, one.width), inputs);
      if (one.beside.length > 0) beside += countIn(inputs, one.beside);
    }
    if (inputs.size !== known + beside) readOthers(inputs, others, rows);
    const { count } = rows;
    if (count === -1)
      throw refusal('The request has none of the features of this model.', `Its features are: ${order.join(', ')}.`);
    if (known < compiled.length) {
      for (const [index, { absent }] of compiled.entries())
        columns[index] ??= new Array<FeatureValue>(count).fill(absent ?? null);
    }
    return { count, columns: columns as Column[] };
  };
  const own = new Set(order.flatMap((name, index) => [name, ...(compiled[index]?.beside ?? [])]));
  const readOthers = (
    inputs: ReadonlyMap<string, InputTensor>,
    others: OtherFeatures | undefined,
    rows: RowCount,
  ): void => {
    const unknown = [...inputs.keys()].filter((name) => !own.has(name) && others?.has(baseName(name)) !== true);
    if (unknown.length > 0) {
      const features = [...order, ...(others?.keys() ?? [])];
      throw refusal(
        `${unknown.map(quoted).join(', ')} is not a feature of this model.`,
        `Its features are: ${features.join(', ')}.`,
      );
    }
    const alone = [...inputs.keys()].find((name) => !inputs.has(baseName(name)));
    if (alone !== undefined)
      throw refusal(`${quoted(alone)} is sent without ${baseName(alone)}.`, `Send ${baseName(alone)} too, or neither.`);
    for (const [name, tensor] of inputs) {
      const other = own.has(name) ? undefined : others?.get(name);
      if (other === undefined) continue;
      if (other.check !== undefined) other.check(tensor, rows.of(tensor, other.width ?? one), inputs);
      // Where a request carries nothing that is read, what is ignored says how many rows it has.
      else if (rows.count === -1) rows.of(tensor, anyWidth);
      other.seen();
    }
  };
  return { features: compiled.map((one) => one.state), readRows, sampleRow: compiled.map((one) => one.sample) };
}

/** How a feature's values are read and checked. @param state counts the levels that it does not list */
export function columnReader(name: string, feature: Feature, state: CompiledFeature): ReadColumn {
  if (feature.type === 'number') return numberColumn(name, feature);
  if (feature.type === 'string') return stringColumn(name, feature, state);
  if (feature.type === 'text') return stringColumn(name, { ...feature, type: 'string', closed: false }, state);
  const levels = feature.type === 'list' && feature.of.type === 'string' ? new Set(feature.of.levels) : undefined;
  return valueColumn(name, feature, (values) => {
    if (levels !== undefined && levels.size > 0)
      for (const value of values) if (!levels.has(value)) state.unseenLevels += 1;
  });
}

export function compiledFeature(name: string, feature: Feature): CompiledFeature {
  const [type, tensor, inputs] = [valueTypeOf(feature), requestTensor(name, feature), modelInputs(name, feature)];
  return { name, type, tensor, inputs, unseenLevels: 0 };
}

const missingValue = ({ type }: Feature): FeatureValue =>
  type === 'number' ? NaN : type === 'string' || type === 'text' ? '' : null;

/** What the model sees where a request does not carry a feature; undefined where every request must. */
function absentValue(feature: Feature): FeatureValue | undefined {
  if (feature.default === undefined) return feature.nullable ? missingValue(feature) : undefined;
  const value = readValue({ ...feature, nullable: true }, feature.default);
  if (!(value instanceof ValueProblem)) return value;
  throw new RangeError(`the default of ${feature.type} ${String(feature.default)}: ${value.problem}`);
}

/** The feature that a tensor belongs to: `age` of `age:missing`. */
const baseName = (name: string): string => name.split(':', 1)[0] ?? name;

const countIn = (inputs: Inputs, names: readonly string[]): number =>
  names.reduce((sum, name) => sum + (inputs.has(name) ? 1 : 0), 0);

/** The same number of rows for every feature of a request. */
class RowCount {
  count = -1;
  private first = '';

  of(tensor: InputTensor, width: Width): number {
    const rows = rowsOf(tensor, width);
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

/** Values a row that a tensor may have. */
export interface Width {
  least: number;
  most: number;
  words: string;
}

const one: Width = { least: 1, most: 1, words: '1' };
const anyWidth: Width = { least: 0, most: Infinity, words: 'values' };

export function widthOf(feature: Feature): Width {
  if (feature.type === 'vector') return { least: feature.length, most: feature.length, words: String(feature.length) };
  if (feature.type === 'list') return { least: 0, most: feature.maxLength, words: `0 to ${feature.maxLength}` };
  return one;
}

function rowsOf({ name, shape, data, nested }: InputTensor, { least, most, words }: Width): number {
  const [rows = 0, width = 1] = shape;
  if (shape.length < 1 || shape.length > 2 || width < least || width > most)
    throw refusal(`Feature ${name} has the shape ${quoted(shape)}.`, `Send [rows, ${words}].`);
  if (rows < 1 || rows > requestRowsMax) {
    throw refusal(
      `Feature ${name} has ${rows} rows.`,
      `Send 1 to ${requestRowsMax.toLocaleString('en')} rows per request.`,
    );
  }
  if (nested === true && most === 1)
    throw refusal(
      `The data of feature ${quoted(name)} are not nested as its shape ${quoted(shape)} says.`,
      'Send a flat list of values, or nest them as the shape says.',
    );
  if (data !== undefined && data.length !== (nested === true ? rows : rows * width)) {
    throw refusal(
      `Feature ${name} has ${data.length} values, but its shape ${quoted(shape)} says ${rows * width}.`,
      'Make shape and data agree.',
    );
  }
  return rows;
}

function numberColumn(name: string, feature: FeatureOf<'number'>): ReadColumn {
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
      } else if (typeof value === 'bigint') {
        const rounded = Math.fround(Number(value));
        if (!(rounded >= min && rounded <= max)) throw outside(row, Number(value));
        column[row] = rounded;
      } else
        throw refusal(
          `Feature ${name}, row ${row}: ${quoted(value)} is not a number.`,
          `Send a number${nullable ? ' or null' : ''}.`,
        );
    }
    return column;
  };
}

function stringColumn(name: string, feature: Omit<FeatureOf<'string'>, 'from'>, state: CompiledFeature): ReadColumn {
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
