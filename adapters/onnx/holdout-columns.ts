import { DuckDBListValue } from '@duckdb/node-api';
import type { Contract } from '../../domain/data/contract.js';
import { valueTypeOf, type FeatureValue, type ValueType } from '../../domain/data/feature/feature-value.js';
import { inputColumns, type InputColumn } from '../../domain/data/feature/input-columns.js';
import { missingInput, modelInputs } from '../../domain/data/feature/model-inputs.js';
import { levelsOfNumbers, levelsOfStrings, type SliceLevels } from '../../domain/statistics/slice-levels.js';
import { quoteName } from '../data-engine/quote-sql.js';

/** What to read of a holdout's rows: one expression a feature. */
export const holdoutExpressions = ({ features }: Contract): string[] =>
  Object.entries(features).map(([name, feature]) => expressionOf(valueTypeOf(feature), quoteName(name)));

function expressionOf(type: ValueType, column: string): string {
  switch (type) {
    case 'number':
      return `coalesce(CAST(${column} AS FLOAT), CAST('NaN' AS FLOAT))`;
    case 'string':
    case 'text':
      return `coalesce(CAST(${column} AS VARCHAR), '')`;
    case 'timestamp':
      return `epoch_us(CAST(${column} AS TIMESTAMP))`;
    case 'timestamp[]':
      return `list_transform(CAST(${column} AS TIMESTAMP[]), lambda one: epoch_us(one))`;
    case 'vector':
    case 'number[]':
      return `CAST(${column} AS FLOAT[])`;
    case 'integer':
      return `CAST(${column} AS BIGINT)`;
    case 'integer[]':
      return `CAST(${column} AS BIGINT[])`;
    case 'boolean':
      return `CAST(${column} AS BOOLEAN)`;
    case 'boolean[]':
    case 'string[]':
    case 'text[]':
      return column;
  }
}

/** Rows as the graph gets them, by the names of its inputs. @param values as `holdoutExpressions` gives them */
export function holdoutColumns(
  { features }: Contract,
  values: readonly (readonly unknown[])[],
): Record<string, InputColumn> {
  return Object.fromEntries(
    Object.entries(features).flatMap(([name, feature], index): [string, InputColumn][] => {
      const column = values[index] ?? [];
      if (feature.type === 'number') return [[name, Float32Array.from(column, Number)]];
      if (feature.type === 'string' || feature.type === 'text') return [[name, column.map(String)]];
      return inputColumns(modelInputs(name, feature), column.map(asValue));
    }),
  );
}

const asValue = (value: unknown): FeatureValue =>
  value instanceof DuckDBListValue ? ([...value.items] as FeatureValue) : (value as FeatureValue);

/** What `levelsOfColumns` needs of a batch, so that the rest of it can be forgotten. */
export const columnsFor = (
  features: readonly string[],
  columns: Record<string, InputColumn>,
): Record<string, InputColumn> =>
  Object.fromEntries(
    features
      .flatMap((name) => [name, missingInput(name)])
      .flatMap((name) => (columns[name] === undefined ? [] : [[name, columns[name]]])),
  );

/** A feature's rows by level. @param columns of each batch of rows */
export function levelsOfColumns(feature: string, columns: readonly Record<string, InputColumn>[]): SliceLevels {
  const texts: string[] = [];
  const numbers: Float32Array[] = [];
  for (const batch of columns) {
    const [own = [], missing] = [batch[feature], batch[missingInput(feature)]];
    if (own instanceof Float32Array) numbers.push(own);
    else
      for (const [row, value] of own.entries())
        texts.push(missing?.[row] === 1 ? '' : own instanceof Uint8Array ? String(value === 1) : String(value));
  }
  if (numbers.length > 0) return levelsOfNumbers(feature, Float32Array.from(numbers.flatMap((one) => [...one])));
  const isInteger = columns[0]?.[feature] instanceof BigInt64Array;
  if (!isInteger || new Set(texts).size <= integerLevelsMax) return levelsOfStrings(feature, texts);
  return levelsOfNumbers(
    feature,
    Float32Array.from(texts, (text) => (text === '' ? NaN : Number(text))),
  );
}

/** An integer with more distinct values is cut at its quartiles, as a number is. */
const integerLevelsMax = 24;
