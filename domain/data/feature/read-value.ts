import { characterCount, isLongerThan, textProblem } from '../../text/plain-text.js';
import type { Feature, FeatureOf, Item } from './feature.js';
import type { FeatureValue, ScalarValue } from './feature-value.js';
import { int64Max, int64Min, int64Of } from './int64.js';
import { utcMicros, utcMicrosMax, utcMicrosMin } from './utc-micros.js';

/** Why a value is not one of the feature, and what to send. */
export class ValueProblem {
  constructor(
    readonly problem: string,
    readonly remedy: string,
  ) {}
}

/**
 * One value of a feature, as the model sees it, from what JSON or a tensor holds: integers as numbers, bigints or
 * digits, times as texts or whole microseconds, several as an array.
 */
export function readValue(feature: Feature, value: unknown): FeatureValue | ValueProblem {
  if (value === null || value === undefined)
    return feature.nullable
      ? null
      : new ValueProblem('the value is missing, and this feature is not nullable', `Send ${wanted(feature)}.`);
  if (feature.type === 'vector') return readVector(feature, value);
  return feature.type === 'list' ? readList(feature, value) : readScalar(feature, value);
}

/** A value that stands alone or in a list. */
export function readScalar(
  item: Item | Exclude<Feature, { type: 'list' | 'vector' }>,
  value: unknown,
): ScalarValue | ValueProblem {
  switch (item.type) {
    case 'number':
      return readNumber(item, value);
    case 'integer':
      return readInteger(item, value);
    case 'boolean':
      return typeof value === 'boolean' ? value : notA(item, value);
    case 'timestamp':
      return readTime(item, value);
    case 'string':
    case 'text':
      return readText(item, value);
  }
}

function readNumber(item: Pick<FeatureOf<'number'>, 'type' | 'min' | 'max'>, value: unknown): number | ValueProblem {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') return notA(item, value);
  const rounded = Math.fround(number);
  if (!Number.isFinite(rounded))
    return new ValueProblem(`${number} is not a finite FP32 number`, 'Send a finite number.');
  const { min = -Infinity, max = Infinity } = item;
  return rounded >= Math.fround(min) && rounded <= Math.fround(max) ? rounded : outside(number, min, max);
}

function readInteger(item: Pick<FeatureOf<'integer'>, 'type' | 'min' | 'max'>, value: unknown): bigint | ValueProblem {
  const whole = int64Of(value);
  if (whole === undefined) {
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63)
      return new ValueProblem(
        `${value} is beyond 2^53 and not written as a whole number, so that it may not be exact`,
        'Write all its digits.',
      );
    return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) || isDigits(value)
      ? new ValueProblem(`${value} has more than 64 bits`, `Send an integer from ${int64Min} to ${int64Max}.`)
      : notA(item, value);
  }
  const { min = int64Min, max = int64Max } = item;
  return whole >= BigInt(min) && whole <= BigInt(max) ? whole : outside(whole, min, max);
}

const isDigits = (value: unknown): value is string => typeof value === 'string' && /^-?\d+$/.test(value);

function readTime(item: Pick<FeatureOf<'timestamp'>, 'type'>, value: unknown): bigint | ValueProblem {
  const micros = typeof value === 'string' && !isDigits(value) ? utcMicros(value) : int64Of(value);
  if (micros === undefined) return notA(item, value);
  return micros >= utcMicrosMin && micros <= utcMicrosMax
    ? micros
    : new ValueProblem(`${micros} microseconds since 1970 are outside the years 0 to 9999`, 'Correct the time.');
}

function readText(
  item:
    | Pick<FeatureOf<'text'>, 'type' | 'maxLength'>
    | Pick<FeatureOf<'string'>, 'type' | 'maxLength' | 'levels' | 'closed'>,
  value: unknown,
): string | ValueProblem {
  if (typeof value !== 'string') return notA(item, value);
  if (isLongerThan(value, item.maxLength))
    return new ValueProblem(`the string has ${characterCount(value)} characters`, `Send at most ${item.maxLength}.`);
  const problem = textProblem(value);
  if (problem !== undefined) return new ValueProblem(`the string ${problem}`, 'Send a plain text.');
  if (item.type === 'string' && item.closed && item.levels?.includes(value) !== true)
    return new ValueProblem(
      `${shown(value)} is not one of its levels`,
      `Send one of: ${(item.levels ?? []).slice(0, 50).join(', ')}.`,
    );
  return value;
}

function readVector({ length }: FeatureOf<'vector'>, value: unknown): number[] | ValueProblem {
  if (!Array.isArray(value)) return new ValueProblem(`${shown(value)} is not a vector`, `Send ${length} numbers.`);
  if (value.length !== length)
    return new ValueProblem(`the vector has ${value.length} numbers instead of ${length}`, `Send ${length} numbers.`);
  const numbers = new Array<number>(length);
  for (let place = 0; place < length; place += 1) {
    const one = readNumber({ type: 'number' }, value[place]);
    if (one instanceof ValueProblem)
      return new ValueProblem(`place ${place} of the vector: ${one.problem}`, 'Send finite numbers only.');
    numbers[place] = one;
  }
  return numbers;
}

function readList({ of, maxLength }: FeatureOf<'list'>, value: unknown): ScalarValue[] | ValueProblem {
  if (!Array.isArray(value)) return new ValueProblem(`${shown(value)} is not a list`, `Send a list of ${of.type}s.`);
  if (value.length > maxLength)
    return new ValueProblem(`the list has ${value.length} values`, `Send at most ${maxLength}.`);
  const values: ScalarValue[] = [];
  for (const [place, one] of value.entries()) {
    const read = readScalar(of, one);
    if (read instanceof ValueProblem)
      return new ValueProblem(`place ${place} of the list: ${read.problem}`, read.remedy);
    values.push(read);
  }
  return values;
}

const words: Record<Item['type'], string> = {
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  string: 'a string',
  text: 'a string',
  timestamp: 'a time: ISO 8601 such as 2013-04-07T13:00:00Z, or whole microseconds since 1970 UTC',
};

const wanted = (feature: Feature): string =>
  feature.type === 'vector'
    ? `${feature.length} numbers`
    : feature.type === 'list'
      ? `a list of ${feature.of.type}s`
      : words[feature.type];

const notA = ({ type }: Pick<Item, 'type'>, value: unknown): ValueProblem =>
  new ValueProblem(`${shown(value)} is not ${words[type].split(':')[0]}`, `Send ${words[type]}.`);

const outside = (value: number | bigint, min: number | string | bigint, max: number | string | bigint): ValueProblem =>
  new ValueProblem(
    `${value} is outside its range ${min === -Infinity || min === int64Min ? '-∞' : min} … ` +
      `${max === Infinity || max === int64Max ? '∞' : max}`,
    'Send a value in range.',
  );

function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}
