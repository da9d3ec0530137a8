import type { JsonValue, ValueType } from '../../domain/data/feature/feature-value.js';
import { int64Json } from '../../domain/data/feature/int64.js';
import { utcMicros, utcText } from '../../domain/data/feature/utc-micros.js';

/** A feature's value of a row that the data engine read, as JSON has it: 64-bit integers and times come as text. */
export function jsonOfStored(type: ValueType, value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map((one: unknown) => jsonOfStored(type, one)) as JsonValue;
  if (typeof value !== 'string') return typeof value === 'number' || typeof value === 'boolean' ? value : null;
  if (type === 'integer' || type === 'integer[]') return int64Json(BigInt(value));
  const time = type === 'timestamp' || type === 'timestamp[]' ? utcMicros(value) : undefined;
  return time === undefined ? value : utcText(time);
}
