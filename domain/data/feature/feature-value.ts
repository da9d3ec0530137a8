import { int64Json } from './int64.js';
import type { Feature, FeatureType, Item } from './feature.js';
import { utcText } from './utc-micros.js';

/** Numbers are FP32; integers, and times as microseconds since 1970 UTC, have all their 64 bits. */
export type ScalarValue = number | bigint | boolean | string;
/** A feature's value in a row; null where it is missing. */
export type FeatureValue = ScalarValue | ScalarValue[] | null;

/** A value as JSON writes it, in definitions, answers and reports. */
export type JsonValue = number | string | boolean | (number | string | boolean)[] | null;

/** What a feature's values are, in one word: `integer`, `vector`, `string[]` for a list. */
export const valueTypes = [
  'number',
  'integer',
  'boolean',
  'string',
  'timestamp',
  'text',
  'vector',
  'number[]',
  'integer[]',
  'boolean[]',
  'string[]',
  'timestamp[]',
  'text[]',
] as const satisfies readonly (Exclude<FeatureType, 'list'> | `${Item['type']}[]`)[];
export type ValueType = (typeof valueTypes)[number];
export const valueTypeOf = (feature: Feature): ValueType =>
  feature.type === 'list' ? `${feature.of.type}[]` : feature.type;

/** @param type of the value */
export function jsonOf(type: ValueType, value: FeatureValue): JsonValue {
  if (Array.isArray(value)) return value.map((one) => scalarJson(type, one));
  return value === null ? null : scalarJson(type, value);
}

function scalarJson(type: ValueType, value: ScalarValue): number | string | boolean {
  if (typeof value !== 'bigint') return value;
  return type === 'timestamp' || type === 'timestamp[]' ? utcText(value) : int64Json(value);
}

/**
 * A value in one text, from which the data engine makes it again: of a scalar as it stands, of several as a JSON array.
 */
export function valueText(type: ValueType, value: ScalarValue | ScalarValue[]): string {
  if (!Array.isArray(value)) return String(scalarJson(type, value));
  // JSON.stringify writes -0 as 0.
  if (typeof value[0] === 'number')
    return `[${value.map((one) => (Object.is(one, -0) ? '-0.0' : String(one))).join(',')}]`;
  return JSON.stringify(jsonOf(type, value));
}

/** What `valueText` wrote, as JSON has it. */
export function jsonOfText(type: ValueType, text: string): JsonValue {
  if (type === 'vector' || type.endsWith('[]')) return JSON.parse(text) as JsonValue;
  if (type === 'boolean') return text === 'true';
  return type === 'integer' ? int64Json(BigInt(text)) : text;
}
