import type { LocalDuckSession } from '../../adapters/data-engine/duck-session.js';
import type { OfferedColumn } from '../../adapters/data-engine/offered-columns.js';
import { quoteName, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { featureColumn, loggedTypes, type LoggedType } from '../../domain/serving/logged-features.js';
import { logColumns } from '../../domain/serving/prediction-log-columns.js';
import { placedFeatures, rowPredictionId, type LoggedBlock, type NamedFeatures } from './logged-block.js';

/**
 * Blocks as rows of the prediction log, a query for each list of features. What the data engine reads are numbers: a
 * text is its place in a list, for handing over one costs as much as ten numbers, and most come again.
 */
export function stageBlocks(session: LocalDuckSession, blocks: readonly LoggedBlock[]): string[] {
  const groups = new Map<string, LoggedBlock[]>();
  for (const block of blocks) {
    const key = JSON.stringify(block.features);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [block]);
    else group.push(block);
  }
  return [...groups.values()].map((group, index) => stage(session, `rows_${index}`, group));
}

function stage(session: LocalDuckSession, name: string, blocks: readonly LoggedBlock[]): string {
  const features = blocks[0]?.features ?? [];
  const texts = new Texts();
  const heads = new Heads();
  const columns = [...ownColumns(blocks, texts, heads), ...featureColumns(blocks, features, texts)];
  session.offer(name, columns);
  session.offer(`${name}_ids`, [{ name: 'ids', type: 'VARCHAR', values: blocks.map(rowIds) }]);
  session.offer(`${name}_texts`, [{ name: 'text', type: 'VARCHAR', values: texts.all }]);
  const { features: _old, ...logged } = logColumns.predictions;
  const valueOf = (column: string) => {
    const isText = column === 'request_id' || column === 'key_hash';
    return isText ? textAt(columns.find(({ name: one }) => one === column)) : ownValues[column];
  };
  const selected = Object.entries(logged).map(
    ([column, type]) => `${valueOf(column) ?? heads.value(column, type)} AS ${quoteName(column)}`,
  );
  const named = features.map((feature, index) => {
    const value = featureValue(
      feature.type,
      columns.find((column) => column.name === `f${index}`),
    );
    return `${value} AS ${quoteName(featureColumn(feature.name, feature.type))}`;
  });
  const lists = texts.all.length === 0 ? '' : `, (SELECT list(text) AS texts FROM offered('${name}_texts'))`;
  return (
    `SELECT ${[...selected, ...named].join(', ')} ` +
    `FROM (SELECT unnest(string_split(ids, ' ')) AS prediction_id FROM offered('${name}_ids')) ` +
    `POSITIONAL JOIN offered('${name}')${lists}`
  );
}

/** Of all rows, a space between two. */
function rowIds({ ids, counts, suffix, scores }: LoggedBlock): string {
  if (suffix === '' && counts.length === scores.length) return ids;
  return ids
    .split(' ')
    .flatMap((id, request) => {
      const count = counts[request] ?? 0;
      return Array.from({ length: count }, (_, row) => rowPredictionId(id, row, count) + suffix);
    })
    .join(' ');
}

/** Columns of numbers of the log that differ from row to row, as SQL. */
const ownValues: Record<string, string> = {
  ...{ prediction_id: 'prediction_id', row: '"row"', at: 'make_timestamp_ms(CAST("at" AS BIGINT))' },
  ...{ probability: 'probability', label: 'label = 1', latency_ms: 'latency_ms' },
};

/** Null where it is missing. */
function featureValue(type: LoggedType, column: OfferedColumn | undefined): string {
  if (column?.type === 'ENUM') return column.name;
  if (type !== 'number')
    return type === 'string' ? textAt(column) : `TRY_CAST(${textAt(column)} AS ${loggedTypes[type]})`;
  if (column?.type !== 'FLOAT') return 'CAST(NULL AS FLOAT)';
  return hasNaN(column.values) ? `CASE WHEN isnan(${column.name}) THEN NULL ELSE ${column.name} END` : column.name;
}

/** A text by its code. */
function textAt(column: OfferedColumn | undefined): string {
  if (column?.type !== 'INTEGER' || !column.values.some((code) => code > 0)) return 'CAST(NULL AS VARCHAR)';
  return `texts[${quoteName(column.name)}]`;
}

function hasNaN(values: Float32Array): boolean {
  for (let at = 0; at < values.length; at += 1) if (Number.isNaN(values[at])) return true;
  return false;
}

const rowsIn = (blocks: readonly LoggedBlock[]): number => blocks.reduce((sum, { scores }) => sum + scores.length, 0);

function ownColumns(blocks: readonly LoggedBlock[], texts: Texts, heads: Heads): OfferedColumn[] {
  const rows = rowsIn(blocks);
  const integers = () => new Int32Array(rows);
  const doubles = () => new Float64Array(rows);
  const [rowNumber, head, requestCodes, keyCodes, label] = [integers(), integers(), integers(), integers(), integers()];
  const [at, probability, latencyMs] = [doubles(), doubles(), doubles()];
  let place = 0;
  for (const block of blocks) {
    const { scores, positives, counts, requestIds, keyHashes } = block;
    head.fill(heads.codeOf(block), place, place + scores.length);
    probability.set(scores, place);
    label.set(positives, place);
    const areSingle = counts.length === scores.length;
    if (areSingle) {
      at.set(block.at, place);
      latencyMs.set(block.latenciesMs, place);
    }
    for (let request = 0; request < counts.length; request += 1) {
      const count = counts[request] ?? 0;
      const [id, keyHash] = [requestIds[request], keyHashes[request]];
      if (id !== null) requestCodes.fill(texts.codeOf(id), place, place + count);
      if (keyHash !== null) keyCodes.fill(texts.codeOf(keyHash), place, place + count);
      if (!areSingle) {
        at.fill(block.at[request] ?? NaN, place, place + count);
        latencyMs.fill(block.latenciesMs[request] ?? NaN, place, place + count);
        for (let row = 1; row < count; row += 1) rowNumber[place + row] = row;
      }
      place += count;
    }
  }
  return [
    { name: 'row', type: 'INTEGER', values: rowNumber },
    { name: 'head', type: 'INTEGER', values: head },
    { name: 'request_id', type: 'INTEGER', values: requestCodes },
    { name: 'key_hash', type: 'INTEGER', values: keyCodes },
    { name: 'label', type: 'INTEGER', values: label },
    { name: 'at', type: 'DOUBLE', values: at },
    { name: 'probability', type: 'DOUBLE', values: probability },
    { name: 'latency_ms', type: 'DOUBLE', values: latencyMs },
  ];
}

function featureColumns(blocks: readonly LoggedBlock[], features: NamedFeatures, texts: Texts): OfferedColumn[] {
  const rows = rowsIn(blocks);
  const codes = blocks.map((block) => texts.codesOf(block));
  return placedFeatures(features).map(({ type, column }, index): OfferedColumn => {
    const name = `f${index}`;
    if (type === 'number') {
      const values = new Float32Array(rows);
      let place = 0;
      for (const { numbers, scores } of blocks) {
        values.set(numbers.subarray(column * scores.length, (column + 1) * scores.length), place);
        place += scores.length;
      }
      return { name, type: 'FLOAT', values };
    }
    const values = new Int32Array(rows);
    let place = 0;
    for (const [block, { scores }] of blocks.entries()) {
      const own = codes[block]?.subarray(column * scores.length, (column + 1) * scores.length);
      if (own !== undefined) values.set(own, place);
      place += scores.length;
    }
    return (type === 'string' ? asEnum(name, values, texts.all) : undefined) ?? { name, type: 'INTEGER', values };
  });
}

/** Distinct texts that a column may have to be a list of its own, which Parquet's dictionary is then. */
const fewTexts = 255;

/** Undefined where a text is missing, or there are too many. */
function asEnum(name: string, codes: Int32Array, texts: readonly string[]): OfferedColumn | undefined {
  const places = new Int32Array(texts.length + 1);
  const own: string[] = [];
  const values = new Uint8Array(codes.length);
  for (let row = 0; row < codes.length; row += 1) {
    const code = codes[row] ?? 0;
    if (code === 0) return undefined;
    const place = (places[code] ||= own.push(texts[code - 1] ?? ''));
    if (place > fewTexts) return undefined;
    values[row] = place - 1;
  }
  return own.length === 0 ? undefined : { name, type: 'ENUM', values, texts: own };
}

/** The texts of a query, each once; its code is its place from 1 on, 0 where one is missing. */
class Texts {
  readonly all: string[] = [];
  private readonly codes = new Map<string, number>();

  codeOf(text: string | null | undefined): number {
    if (text === null || text === undefined) return 0;
    let code = this.codes.get(text);
    if (code === undefined) this.codes.set(text, (code = this.all.push(text)));
    return code;
  }

  /** Codes here of what a block has; a text that no row has is none of ours. */
  codesOf({ codes, texts }: LoggedBlock): Int32Array {
    const known = new Int32Array(texts.length + 1);
    const own = new Int32Array(codes.length);
    for (let at = 0; at < codes.length; at += 1) {
      const code = codes[at] ?? 0;
      if (code > 0) own[at] = known[code] ||= this.codeOf(texts[code - 1]);
    }
    return own;
  }
}

/** What blocks share, each once. */
class Heads {
  private readonly all: LoggedBlock[] = [];

  codeOf(block: LoggedBlock): number {
    const known = this.all.findIndex((one) => headNames.every((name) => one[name] === block[name]));
    return known === -1 ? this.all.push(block) - 1 : known;
  }

  /** A column of the log by the code, as SQL. */
  value(column: string, type: string): string {
    const name = headNames.find((one) => one === (column === 'chosen_by' ? 'cause' : column));
    const values = this.all.map((block) => {
      const value = name === undefined ? null : block[name];
      return value === null ? 'NULL' : typeof value === 'number' ? String(value) : quoteText(value);
    });
    const [first = 'NULL', ...others] = new Set(values);
    // A text that all rows share is a list of one: Parquet need not look it up for each row.
    if (others.length === 0) return `CAST(${first} AS ${first.startsWith("'") ? `ENUM(${first})` : type})`;
    return `CAST([${values.join(', ')}] AS ${type}[])[head + 1]`;
  }
}

const headNames = ['environment', 'model', 'version', 'epoch', 'role', 'cause'] as const;
