import type { AppendedColumn } from '../../adapters/data-engine/append-columns.js';
import type { DuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteName, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { logColumns } from '../../domain/serving/prediction-log-columns.js';
import { featureColumn, loggedTypes, type LoggedType } from '../../domain/serving/logged-features.js';
import type { PackedRows } from './read-packed-line.js';

/** Rows go to the data engine in pieces of about this size, so that a segment does not stand in memory unpacked. */
const pieceRows = 2_000;

const {
  row: _row,
  features: _features,
  probability: _probability,
  label: _label,
  ...sharedColumns
} = logColumns.predictions;
const headColumns = { ...sharedColumns, suffix: 'VARCHAR' };

interface Stage {
  rowTable: string;
  features: { name: string; type: LoggedType }[];
  pieces: PackedRows[];
  /** Number of the first request of `pieces`. */
  first: number;
  rows: number;
}

/**
 * Packed lines as rows of the prediction log, put together by the data engine: requests with the same features share a
 * table of rows and one of what their rows have in common.
 */
export class PackedLineStages {
  readonly features = new Map<number, ReadonlyMap<string, LoggedType>>();
  private readonly stages = new Map<string, Stage>();

  constructor(private readonly session: DuckSession) {}

  async add(packed: PackedRows): Promise<void> {
    const stage = await this.stageOf(packed);
    const version = Number(packed.shared['version']);
    if (!this.features.has(version))
      this.features.set(version, new Map(packed.features.map(({ name, type }) => [name, type])));
    stage.pieces.push(packed);
    stage.rows += packed.rows;
    if (stage.rows >= pieceRows) await this.hand(stage);
  }

  /** One query for each set of features, with the columns of the log and of the features. */
  async queries(): Promise<string[]> {
    const stages = [...this.stages.values()];
    for (const stage of stages) await this.hand(stage);
    return stages.map(rowsQuery);
  }

  private async stageOf({ features }: PackedRows): Promise<Stage> {
    const types = features.map(({ name, type }) => ({ name, type }));
    const key = JSON.stringify(types);
    const known = this.stages.get(key);
    if (known) return known;
    const stage: Stage = { rowTable: `packed_${this.stages.size}`, features: types, pieces: [], first: 0, rows: 0 };
    const columns = types.map(({ type }, index) => `f${index} ${type === 'number' ? 'FLOAT' : 'VARCHAR'}, `).join('');
    await this.session.run(
      `CREATE TABLE ${stage.rowTable} (request INTEGER, "row" INTEGER, ${columns}probability FLOAT, label BOOLEAN);
       CREATE TABLE ${headTable(stage)} (request INTEGER, row_count INTEGER, head VARCHAR)`,
    );
    this.stages.set(key, stage);
    return stage;
  }

  private async hand(stage: Stage): Promise<void> {
    const { pieces, features, first } = stage;
    if (pieces.length === 0) return;
    await this.session.append(stage.rowTable, [
      { type: 'INTEGER', values: numbered(stage, (index) => first + index) },
      { type: 'INTEGER', values: numbered(stage, (_index, row) => row) },
      ...features.map((_feature, index) => featureValues(stage, index)),
      {
        type: 'FLOAT',
        values: joined(
          stage.rows,
          pieces.map(({ scores }) => scores),
        ),
      },
      { type: 'BOOLEAN', values: pieces.flatMap(({ labels }) => labels) },
    ]);
    await this.session.append(headTable(stage), [
      { type: 'INTEGER', values: pieces.map((_packed, index) => first + index) },
      { type: 'INTEGER', values: pieces.map(({ rows }) => rows) },
      {
        type: 'VARCHAR',
        values: pieces.map(({ shared, predictionId, suffix }) =>
          JSON.stringify({ ...shared, prediction_id: predictionId, suffix }),
        ),
      },
    ]);
    Object.assign(stage, { pieces: [], first: first + pieces.length, rows: 0 });
  }
}

function featureValues({ pieces, rows }: Stage, index: number): AppendedColumn {
  const parts = pieces.map((packed) => packed.features[index]?.values ?? []);
  const numbers = parts.filter((values) => values instanceof Float32Array);
  if (numbers.length > 0) return { type: 'FLOAT', values: joined(rows, numbers) };
  return { type: 'VARCHAR', values: parts.flatMap((values) => (values instanceof Float32Array ? [] : values)) };
}

/** A number for each row, by the number of its request and its own. */
function numbered({ pieces, rows }: Stage, numberOf: (index: number, row: number) => number): Int32Array {
  const all = new Int32Array(rows);
  let at = 0;
  for (const [index, { rows: own }] of pieces.entries()) {
    for (let row = 0; row < own; row += 1) all[at++] = numberOf(index, row);
  }
  return all;
}

function joined(rows: number, parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(rows);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const headTable = ({ rowTable }: Stage): string => `${rowTable}_heads`;

function rowsQuery(stage: Stage): string {
  const { features: _old, ...columns } = logColumns.predictions;
  const id = `heads.prediction_id || CASE WHEN row_count = 1 THEN '' ELSE '.' || "row" END || heads.suffix`;
  const selected = Object.keys(columns).map(
    (name) => `${name === 'prediction_id' ? id : quoteName(name)} AS ${quoteName(name)}`,
  );
  const features = stage.features.map(
    ({ name, type }, index) => `${featureValue(type, `f${index}`)} AS ${quoteName(featureColumn(name, type))}`,
  );
  return (
    `SELECT ${[...selected, ...features].join(', ')} FROM ${stage.rowTable} ` +
    `JOIN (SELECT request, row_count, unnest(from_json(head, ${quoteText(JSON.stringify(headColumns))})) ` +
    `FROM ${headTable(stage)}) AS heads USING (request)`
  );
}

/** Null where it is missing. */
function featureValue(type: LoggedType, column: string): string {
  if (type === 'number') return `CASE WHEN isnan(${column}) THEN NULL ELSE ${column} END`;
  return type === 'string' ? `nullif(${column}, '')` : `TRY_CAST(nullif(${column}, '') AS ${loggedTypes[type]})`;
}
