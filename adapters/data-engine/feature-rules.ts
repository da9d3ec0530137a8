import type { Feature, Item } from '../../domain/data/feature/feature.js';
import { utcMicrosMax, utcMicrosMin } from '../../domain/data/feature/utc-micros.js';
import type { ValidationIssue } from '../../domain/data/validation/validation-report.js';
import { quoteNumber, quoteText } from './quote-sql.js';
import { nulDoubt } from './snapshot/column-type.js';

/** A rule, the rows that break it as SQL, and what to say of so many. */
export type AddRule = (rule: ValidationIssue['rule'], predicate: string, message: (rows: number) => string) => void;

const FLOAT32_MAX = 3.4028234663852886e38;

/** What is known of a column beside its values. */
interface Column {
  name: string;
  /** Reads a column with wrong values, already reported. */
  tainted: boolean;
}

/** What the contract asks of a feature's values, as SQL over its column: the same as a gateway asks of a request. */
export function featureRules(feature: Feature, v: string, column: Column, add: AddRule): void {
  const { name } = column;
  if (feature.type === 'vector') {
    const { length } = feature;
    add(
      'out-of-range',
      `len(${v}) <> ${length}`,
      (rows) =>
        `${rows} values of ${name} are not vectors of ${length} numbers. Correct them, or the contract's length.`,
    );
    listRules({ type: 'number' }, v, column, add);
  } else if (feature.type === 'list') {
    add(
      'out-of-range',
      `len(${v}) > ${feature.maxLength}`,
      (rows) => `${rows} lists of ${name} are longer than ${feature.maxLength} values.`,
    );
    listRules(feature.of, v, column, add);
  } else itemRules(feature, v, column, add);
}

/** The rules of what stands in a list, each broken where one value breaks it. */
function listRules(item: Item, v: string, column: Column, add: AddRule): void {
  const any = (predicate: string) => `len(list_filter(${v}, lambda one: ${predicate})) > 0`;
  if (!column.tainted)
    add(
      'null',
      any('one IS NULL'),
      (rows) =>
        `${rows} values of ${column.name} have a missing place (null or NaN). Fill it in, or leave the row empty.`,
    );
  itemRules(item, 'one', column, (rule, predicate, message) => add(rule, any(predicate), message));
}

function itemRules(
  item: Item | Exclude<Feature, { type: 'vector' | 'list' }>,
  v: string,
  { name, tainted }: Column,
  add: AddRule,
): void {
  switch (item.type) {
    case 'number':
      if (!tainted)
        add(
          'infinite',
          `abs(${v}) > ${quoteNumber(FLOAT32_MAX)}`,
          (rows) => `${rows} values of ${name} are infinite or too large for a 32-bit float.`,
        );
      rangeRule(item, `abs(${v}) <= ${quoteNumber(FLOAT32_MAX)} AND `, v, name, add);
      return;
    case 'integer':
      rangeRule(item, '', v, name, add);
      return;
    case 'timestamp':
      add(
        'out-of-range',
        `epoch_us(${v}) NOT BETWEEN ${utcMicrosMin} AND ${utcMicrosMax}`,
        (rows) => `${rows} times of ${name} are outside the years 0 to 9999. Correct them.`,
      );
      return;
    case 'string':
    case 'text':
      textRules(item, v, { name, tainted }, add);
      return;
    case 'boolean':
  }
}

function rangeRule(
  { min, max }: { min?: number | string | undefined; max?: number | string | undefined },
  guard: string,
  v: string,
  name: string,
  add: AddRule,
): void {
  const bounds = [
    ...(min === undefined ? [] : [`${v} < ${typeof min === 'number' ? quoteNumber(min) : BigInt(min)}`]),
    ...(max === undefined ? [] : [`${v} > ${typeof max === 'number' ? quoteNumber(max) : BigInt(max)}`]),
  ];
  if (bounds.length === 0) return;
  add(
    'out-of-range',
    `${guard}(${bounds.join(' OR ')})`,
    (rows) =>
      `${rows} values of ${name} are outside the range ${min ?? '−∞'} to ${max ?? '∞'}. Correct them or the contract.`,
  );
}

function textRules(
  item: Extract<Item, { type: 'string' | 'text' }>,
  v: string,
  { name, tainted }: Column,
  add: AddRule,
): void {
  if (!tainted) {
    const { rule, predicate, problem } = nulDoubt(v);
    add(rule, predicate, (rows) => `${rows} values of ${name} ${problem}.`);
  }
  if (item.type === 'string' && item.closed && item.levels) {
    const { levels } = item;
    add(
      'unknown-level',
      `${v} NOT IN (${levels.map(quoteText).join(', ')})`,
      (rows) => `${rows} values of ${name} are not one of its closed levels: ${levels.join(', ')}.`,
    );
  }
  add(
    'out-of-range',
    `length(${v}) > ${item.maxLength}`,
    (rows) => `${rows} values of ${name} are longer than ${item.maxLength} characters.`,
  );
}
