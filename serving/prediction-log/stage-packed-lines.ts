import type { DuckSession } from '../../adapters/data-engine/duck-session.js';
import { quoteName, quoteText } from '../../adapters/data-engine/quote.js';
import { logColumns } from '../../domain/serving/served-log.js';
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
  features: { name: string; isNumber: boolean }[];
  pieces: PackedRows[];
  /** Number of the first request of `pieces`. */
  first: number;
  rows: number;
}

/**
 * Packed lines as rows of the prediction log, put together by the data engine: requests with the same features share a
 * table of rows and one of what their rows have in common. Writing the numbers as text is the largest part of shipping,
 * and takes there a third of what it takes here.
 */
export class PackedLineStages {
  private readonly stages = new Map<string, Stage>();

  constructor(private readonly session: DuckSession) {}

  async add(packed: PackedRows): Promise<void> {
    const stage = await this.stageOf(packed);
    stage.pieces.push(packed);
    stage.rows += packed.rows;
    if (stage.rows >= pieceRows) await this.hand(stage);
  }

  /** One query for each set of features, with the columns of the log. */
  async queries(): Promise<string[]> {
    const stages = [...this.stages.values()];
    for (const stage of stages) await this.hand(stage);
    return stages.map(rowsQuery);
  }

  private async stageOf({ features }: PackedRows): Promise<Stage> {
    const kinds = features.map(({ name, values }) => ({ name, isNumber: values instanceof Float32Array }));
    const key = JSON.stringify(kinds);
    const known = this.stages.get(key);
    if (known) return known;
    const stage: Stage = { rowTable: `packed_${this.stages.size}`, features: kinds, pieces: [], first: 0, rows: 0 };
    const columns = kinds.map(({ isNumber }, index) => `f${index} ${isNumber ? 'FLOAT' : 'VARCHAR'}, `).join('');
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
      { type: 'INTEGER', values: pieces.flatMap(({ rows }, index) => new Array<number>(rows).fill(first + index)) },
      { type: 'INTEGER', values: pieces.flatMap(({ rows }) => Array.from({ length: rows }, (_value, row) => row)) },
      ...features.map(({ isNumber }, index) => {
        const parts = pieces.map((packed) => packed.features[index]?.values ?? []);
        return isNumber
          ? {
              type: 'FLOAT' as const,
              values: joined(
                stage.rows,
                parts.filter((values) => values instanceof Float32Array),
              ),
            }
          : {
              type: 'VARCHAR' as const,
              values: parts.flatMap((values) => (values instanceof Float32Array ? [] : values)),
            };
      }),
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
  const columns: Record<string, string> = {
    prediction_id: `heads.prediction_id || CASE WHEN row_count = 1 THEN '' ELSE '.' || "row" END || heads.suffix`,
    features: featuresText(stage.features),
  };
  const selected = Object.keys(logColumns.predictions).map(
    (name) => `${columns[name] ?? quoteName(name)} AS ` + `${quoteName(name)}`,
  );
  return (
    `SELECT ${selected.join(', ')} FROM ${stage.rowTable} ` +
    `JOIN (SELECT request, row_count, unnest(from_json(head, ${quoteText(JSON.stringify(headColumns))})) ` +
    `FROM ${headTable(stage)}) AS heads USING (request)`
  );
}

/**
 * JSON text as a single row's line has it: whole numbers without a point, others as the double that they are, null for
 * missing ones.
 */
function featuresText(features: Stage['features']): string {
  const members = features.map(({ name, isNumber }, index) => {
    const value = `f${index}`;
    const text = isNumber
      ? `CASE WHEN isnan(${value}) THEN 'null' WHEN ${value} = trunc(${value}) AND abs(${value}) < 1e15 THEN ` +
        `${value}::BIGINT::VARCHAR ELSE ${value}::DOUBLE::VARCHAR END`
      : `CASE WHEN ${value} = '' THEN 'null' ELSE to_json(${value})::VARCHAR END`;
    return `${quoteText(`${index === 0 ? '{' : ','}${JSON.stringify(name)}:`)}, ${text}`;
  });
  return `concat(${members.length === 0 ? `'{'` : members.join(', ')}, '}')`;
}
