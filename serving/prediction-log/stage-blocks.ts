import type { LocalDuckSession } from '../../adapters/data-engine/duck-session.js';
import type { OfferedColumn } from '../../adapters/data-engine/offered-columns.js';
import { quoteName, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { featureColumn, loggedTypes, type LoggedType } from '../../domain/serving/logged-features.js';
import { logColumns, outputColumns } from '../../domain/serving/prediction-log-columns.js';
import { answerColumns, rowsIn } from './answer-columns.js';
import { yesOrNo } from './logged-answers.js';
import { placedFeatures, rowPredictionId, type LoggedBlock, type NamedFeatures } from './logged-block.js';
import { StagedTexts, textAt } from './staged-texts.js';

/**
 * Blocks as rows of the prediction log, a query for each list of features and shape of answers. What the data engine
 * reads are numbers: a text is its place in a list, for handing over one costs as much as ten numbers, and most come
 * again.
 */
export function stageBlocks(session: LocalDuckSession, blocks: readonly LoggedBlock[]): string[] {
  const groups = new Map<string, LoggedBlock[]>();
  for (const block of blocks) {
    const key = JSON.stringify([block.features, block.answers]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [block]);
    else group.push(block);
  }
  return [...groups.values()].map((group, index) => stage(session, `rows_${index}`, group));
}

function stage(session: LocalDuckSession, name: string, blocks: readonly LoggedBlock[]): string {
  const features = blocks[0]?.features ?? [];
  const texts = new StagedTexts();
  const heads = new Heads();
  const answers = blocks[0]?.answers ?? yesOrNo;
  const answered = answerColumns(blocks, answers, texts);
  const columns = [
    ...ownColumns(blocks, texts, heads),
    ...answered.columns,
    ...featureColumns(blocks, features, texts),
  ];
  session.offer(name, columns);
  session.offer(`${name}_ids`, [{ name: 'ids', type: 'VARCHAR', values: blocks.map(rowIds) }]);
  session.offer(`${name}_texts`, [{ name: 'text', type: 'VARCHAR', values: texts.all }]);
  const isLogged = (column: string) =>
    column !== 'features' && (!Object.hasOwn(outputColumns, column) || Object.hasOwn(answered.sql, column));
  const logged = Object.entries(logColumns.predictions).filter(([column]) => isLogged(column));
  const valueOf = (column: string) => {
    const isText = column === 'request_id' || column === 'key_hash';
    return isText
      ? textAt(columns.find(({ name: one }) => one === column))
      : (answered.sql[column] ?? ownValues[column]);
  };
  const selected = logged.map(
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
function rowIds({ ids, counts, suffix, rows }: LoggedBlock): string {
  if (suffix === '' && counts.length === rows) return ids;
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
  latency_ms: 'latency_ms',
};

/** Null where it is missing. */
function featureValue(type: LoggedType, column: OfferedColumn | undefined): string {
  if (column?.type === 'ENUM') return column.name;
  if (type !== 'number') {
    const text = textAt(column);
    if (type === 'string' || type === 'text') return text;
    const isJson = loggedTypes[type].endsWith('[]');
    return `TRY_CAST(${isJson ? `TRY_CAST(${text} AS JSON)` : text} AS ${loggedTypes[type]})`;
  }
  if (column?.type !== 'FLOAT') return 'CAST(NULL AS FLOAT)';
  return hasNaN(column.values) ? `CASE WHEN isnan(${column.name}) THEN NULL ELSE ${column.name} END` : column.name;
}

function hasNaN(values: Float32Array): boolean {
  for (let at = 0; at < values.length; at += 1) if (Number.isNaN(values[at])) return true;
  return false;
}

function ownColumns(blocks: readonly LoggedBlock[], texts: StagedTexts, heads: Heads): OfferedColumn[] {
  const rows = rowsIn(blocks);
  const integers = () => new Int32Array(rows);
  const doubles = () => new Float64Array(rows);
  const [rowNumber, head, requestCodes, keyCodes] = [integers(), integers(), integers(), integers()];
  const [at, latencyMs] = [doubles(), doubles()];
  let place = 0;
  for (const block of blocks) {
    const { counts, requestIds, keyHashes } = block;
    head.fill(heads.codeOf(block), place, place + block.rows);
    const areSingle = counts.length === block.rows;
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
    { name: 'at', type: 'DOUBLE', values: at },
    { name: 'latency_ms', type: 'DOUBLE', values: latencyMs },
  ];
}

function featureColumns(blocks: readonly LoggedBlock[], features: NamedFeatures, texts: StagedTexts): OfferedColumn[] {
  const rows = rowsIn(blocks);
  const codes = blocks.map((block) => texts.codesOf(block));
  return placedFeatures(features).map(({ type, column }, index): OfferedColumn => {
    const name = `f${index}`;
    if (type === 'number') {
      const values = new Float32Array(rows);
      let place = 0;
      for (const block of blocks) {
        values.set(block.numbers.subarray(column * block.rows, (column + 1) * block.rows), place);
        place += block.rows;
      }
      return { name, type: 'FLOAT', values };
    }
    const values = new Int32Array(rows);
    let place = 0;
    for (const [block, { rows: many }] of blocks.entries()) {
      const own = codes[block]?.subarray(column * many, (column + 1) * many);
      if (own !== undefined) values.set(own, place);
      place += many;
    }
    return (
      (type === 'string' || type === 'text' ? asEnum(name, values, texts.all) : undefined) ?? {
        name,
        type: 'INTEGER',
        values,
      }
    );
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
