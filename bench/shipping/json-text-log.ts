import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteName, quotePath, quoteText } from '../../adapters/data-engine/quote-sql.js';
import type { ServedPrediction } from '../../serving/prediction-log/served-prediction.js';

/**
 * How rows were shipped when the log held their features as JSON text: the reference of `shipping`, kept as it was. A
 * single row was a line that named every feature. A request of several rows was a line with its numbers in base64,
 * whose text the data engine wrote. All went through a table.
 */

const columns = {
  ...{ prediction_id: 'VARCHAR', request_id: 'VARCHAR', row: 'INTEGER', at: 'TIMESTAMP', environment: 'VARCHAR' },
  ...{ model: 'VARCHAR', version: 'INTEGER', epoch: 'INTEGER', role: 'VARCHAR', chosen_by: 'VARCHAR' },
  ...{ key_hash: 'VARCHAR', features: 'VARCHAR', probability: 'DOUBLE', label: 'BOOLEAN', latency_ms: 'DOUBLE' },
};
const { row: _row, features: _features, probability: _probability, label: _label, ...headColumns } = columns;

export function textLine({ predictionId: id, rows, answer, features, ...served }: ServedPrediction): string {
  const head =
    `"request_id":null,"at":"${served.at.toISOString()}","environment":"${served.environment}",` +
    `"model":"${served.model}","version":${served.version},"epoch":${served.epoch},"role":"${served.role}",` +
    `"key_hash":null,"latency_ms":${Math.round(served.latencyMs * 1000) / 1000}`;
  if (rows.count === 1) {
    const values = features.map(({ name }, index) => `"${name}":${valueText(rows.columns[index]?.[0])}`).join(',');
    return (
      `{"prediction_id":"${id}","row":0,${head},"features":{${values}},` +
      `"probability":${positiveScore(answer, 0)},"label":${answer.places?.[0] === 1}}`
    );
  }
  const [numbers, strings]: [number[], string[]] = [[], []];
  for (const column of rows.columns)
    for (const value of column) {
      if (typeof value === 'number') numbers.push(value);
      else strings.push(String(value ?? ''));
    }
  const kinds = features.map(({ name, type }) => `"${name}":"${type === 'number' ? 'n' : 's'}"`).join(',');
  const scores = Array.from({ length: rows.count }, (_, row) => positiveScore(answer, row));
  const labels = Array.from(answer.places ?? [], (label) => (label === 1 ? '1' : '0')).join('');
  return (
    `{"packed":1,"prediction_id":"${id}","suffix":"","rows":${rows.count},${head},"features":{${kinds}},` +
    `"numbers":"${base64(numbers)}","strings":${JSON.stringify(strings)},` +
    `"scores":"${base64(scores)}","labels":"${labels}"}`
  );
}

const positiveScore = ({ values, width }: ServedPrediction['answer'], row: number) =>
  values[(row + 1) * width - 1] ?? NaN;

function valueText(value: unknown): string {
  if (typeof value === 'number') return Number.isNaN(value) ? 'null' : String(value);
  return value === undefined || value === '' ? 'null' : JSON.stringify(value);
}

const base64 = (values: readonly number[]): string => Buffer.from(Float32Array.from(values).buffer).toString('base64');

/** @param segment whose lines are all packed, or none */
export async function textLinesToParquet(segment: string, parquet: string, folder: string): Promise<void> {
  const bytes = await readFile(segment);
  const session = await openDuckSession({ folder, readable: [segment], threads: 1, memoryLimitMb: 512 });
  try {
    const table = Object.entries(columns).map(([name, type]) => `${quoteName(name)} ${type}`);
    await session.run(`CREATE TABLE segment (${table.join(', ')})`);
    const rows = bytes.includes('{"packed":1,')
      ? await packedRows(session, bytes.toString('utf8'))
      : plainRows(segment);
    await session.run(`INSERT INTO segment ${rows}`);
    const options = 'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1';
    await session.run(`COPY segment TO ${quoteText(parquet)} (${options})`);
  } finally {
    session.close();
  }
}

function plainRows(segment: string): string {
  const types = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: '${type}'`);
  const options = `hive_partitioning = false, format = 'newline_delimited', ignore_errors = true`;
  return (
    `SELECT ${Object.keys(columns).map(quoteName).join(', ')} FROM read_json(${quotePath(segment)}, ${options}, ` +
    `columns = {${types.join(', ')}}) WHERE prediction_id IS NOT NULL`
  );
}

const packedSchema = z.looseObject({
  ...{ packed: z.literal(1), prediction_id: z.string(), suffix: z.string(), rows: z.number().int().min(1) },
  ...{ features: z.record(z.string(), z.enum(['n', 's'])), numbers: z.string(), strings: z.array(z.string()) },
  ...{ scores: z.string(), labels: z.string().regex(/^[01]*$/) },
});
type Packed = z.infer<typeof packedSchema>;

const pieceRows = 2_000;

async function packedRows(session: DuckSession, text: string): Promise<string> {
  let kinds: Packed['features'] = {};
  let [piece, first, rows]: [Packed[], number, number] = [[], 0, 0];
  for (const line of text.split('\n')) {
    const packed = line === '' ? undefined : packedSchema.parse(JSON.parse(line));
    if (packed !== undefined && first + piece.length === 0) {
      kinds = packed.features;
      await createTables(session, kinds);
    }
    if (packed !== undefined) rows += piece[piece.push(packed) - 1]?.rows ?? 0;
    if (piece.length > 0 && (packed === undefined || rows >= pieceRows)) {
      await handPiece(session, Object.values(kinds), piece, first);
      [piece, first, rows] = [[], first + piece.length, 0];
    }
  }
  const id = `heads.prediction_id || CASE WHEN row_count = 1 THEN '' ELSE '.' || "row" END || heads.suffix`;
  const own: Record<string, string> = { prediction_id: id, features: featuresText(kinds) };
  const head = quoteText(JSON.stringify({ ...headColumns, suffix: 'VARCHAR' }));
  const selected = Object.keys(columns).map((name) => `${own[name] ?? quoteName(name)} AS ${quoteName(name)}`);
  return (
    `SELECT ${selected.join(', ')} ` +
    `FROM packed JOIN (SELECT request, row_count, unnest(from_json(head, ${head})) FROM heads) AS heads USING (request)`
  );
}

async function createTables(session: DuckSession, kinds: Packed['features']): Promise<void> {
  const features = Object.values(kinds).map((kind, index) => `f${index} ${kind === 'n' ? 'FLOAT' : 'VARCHAR'}, `);
  await session.run(
    `CREATE TABLE packed (request INTEGER, "row" INTEGER, ${features.join('')}probability FLOAT, label BOOLEAN);
     CREATE TABLE heads (request INTEGER, row_count INTEGER, head VARCHAR)`,
  );
}

async function handPiece(session: DuckSession, kinds: string[], piece: Packed[], first: number): Promise<void> {
  const decoded = piece.map(({ numbers }) => floats(numbers));
  let [number, string] = [0, 0];
  const features = kinds.map((kind) => {
    const place = kind === 'n' ? number++ : string++;
    const cut = <Values extends { slice(from: number, to: number): Values }>(values: Values, { rows }: Packed) =>
      values.slice(place * rows, (place + 1) * rows);
    return kind === 'n'
      ? { type: 'FLOAT' as const, values: joined(piece.map((one, at) => cut(decoded[at] ?? new Float32Array(), one))) }
      : { type: 'VARCHAR' as const, values: piece.flatMap((one) => cut(one.strings, one)) };
  });
  await session.append('packed', [
    { type: 'INTEGER', values: piece.flatMap(({ rows }, at) => new Array<number>(rows).fill(first + at)) },
    { type: 'INTEGER', values: piece.flatMap(({ rows }) => Array.from({ length: rows }, (_, row) => row)) },
    ...features,
    { type: 'FLOAT', values: joined(piece.map(({ scores }) => floats(scores))) },
    { type: 'BOOLEAN', values: piece.flatMap(({ labels }) => Array.from(labels, (label) => label === '1')) },
  ]);
  await session.append('heads', [
    { type: 'INTEGER', values: piece.map((_, at) => first + at) },
    { type: 'INTEGER', values: piece.map(({ rows }) => rows) },
    {
      type: 'VARCHAR',
      values: piece.map((packed) => JSON.stringify(packed, [...Object.keys(headColumns), 'suffix'])),
    },
  ]);
}

const floats = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whole numbers without a point, others as the double that they are, null for missing ones. */
function featuresText(kinds: Packed['features']): string {
  const members = Object.entries(kinds).map(([name, kind], index) => {
    const value = `f${index}`;
    const number =
      `CASE WHEN isnan(${value}) THEN 'null' WHEN ${value} = trunc(${value}) AND abs(${value}) < 1e15 ` +
      `THEN ${value}::BIGINT::VARCHAR ELSE ${value}::DOUBLE::VARCHAR END`;
    const text = `CASE WHEN ${value} = '' THEN 'null' ELSE to_json(${value})::VARCHAR END`;
    return `${quoteText(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`)}, ${kind === 'n' ? number : text}`;
  });
  return `concat(${members.join(', ')}, '}')`;
}
