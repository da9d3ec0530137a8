import type { FeatureValue, ScalarValue } from './feature-value.js';
import type { ModelInput } from './model-inputs.js';

/** Values of one input of a graph, a row after the other. */
export type InputColumn = Float32Array | BigInt64Array | Uint8Array | string[];

/**
 * A feature's values as the graph gets them, by the names of its inputs.
 * @param inputs from `modelInputs`
 */
export function inputColumns(
  inputs: readonly ModelInput[],
  values: readonly FeatureValue[],
): [name: string, column: InputColumn][] {
  const [own, ...beside] = inputs;
  if (own === undefined) throw new RangeError('a feature has no input');
  return [
    [own.name, valuesOf(own, values)],
    ...beside.map(({ name, element }): [string, InputColumn] => [
      name,
      element === 'bool'
        ? Uint8Array.from(values, (value) => (value === null ? 1 : 0))
        : BigInt64Array.from(values, (value) => BigInt(Array.isArray(value) ? value.length : 0)),
    ]),
  ];
}

function valuesOf({ element, width }: ModelInput, values: readonly FeatureValue[]): InputColumn {
  const size = values.length * width;
  switch (element) {
    case 'float': {
      const column = new Float32Array(size);
      fill(values, width, (place, value) => (column[place] = Number(value)));
      for (const [row, value] of values.entries()) if (value === null) column.fill(NaN, row * width, (row + 1) * width);
      return column;
    }
    case 'int64': {
      const column = new BigInt64Array(size);
      fill(values, width, (place, value) => (column[place] = BigInt(value)));
      return column;
    }
    case 'bool': {
      const column = new Uint8Array(size);
      fill(values, width, (place, value) => (column[place] = value === true ? 1 : 0));
      return column;
    }
    case 'string': {
      const column = new Array<string>(size).fill('');
      fill(values, width, (place, value) => (column[place] = String(value)));
      return column;
    }
  }
}

function fill(values: readonly FeatureValue[], width: number, set: (place: number, value: ScalarValue) => void): void {
  for (let row = 0; row < values.length; row += 1) {
    const value = values[row] ?? null;
    if (value === null) continue;
    if (Array.isArray(value)) for (let at = 0; at < value.length; at += 1) set(row * width + at, value[at] ?? 0);
    else set(row * width, value);
  }
}
