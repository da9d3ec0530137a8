import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { parquetTable } from '../../../../adapters/data-engine/quote-sql.js';
import { answerOf, type AnswerShape } from '../../../../serving/protocol/answer-shape.js';
import { rowsOfBlock } from '../../../../serving/prediction-log/logged-block.js';
import { logPrediction } from '../../../../serving/prediction-log/prediction-log.js';
import { segmentToParquet } from '../../../../serving/prediction-log/segment-to-parquet.js';
import { Spool } from '../../../../serving/prediction-log/spool.js';
import { SpoolLineReader } from '../../../../serving/prediction-log/spool-line-reader.js';
import { shapeOf } from '../../../support/answers.js';

const long = Float32Array.from({ length: 300 }, (_, at) => Math.sin(at));
const norm = Math.sqrt(long.reduce((sum, value) => sum + value * value, 0));
const sha256 = createHash('sha256').update(Buffer.from(long.buffer)).digest('hex');

const binary = shapeOf('binary', { type: 'boolean' });
const multiclass = shapeOf('multiclass', { type: 'string' }, undefined, ['rot', 'grün', 'blau']);
const integers = shapeOf('multiclass', { type: 'integer', classes: [3, -7] });
const regression = shapeOf('regression', { type: 'number' }, { intervalPct: 80 });
const plain = shapeOf('regression', { type: 'number' });
const ranking = shapeOf('ranking', { type: 'integer' });
const short = shapeOf('embedding', undefined, { length: 4 });
const vectors = shapeOf('embedding', undefined, { length: long.length });

/** Two rows of each task: its scores, and what the log holds of them. */
const cases: [AnswerShape, number[], Record<string, unknown>[]][] = [
  [
    binary,
    [0.25, 0.75, 0.5, 0.5],
    [
      { probability: 0.75, label: true },
      { probability: 0.5, label: false },
    ],
  ],
  [
    multiclass,
    [0.25, 0.625, 0.125, 0.5, 0.5, 0],
    [
      { predicted: 'grün', probabilities: [0.25, 0.625, 0.125] },
      { predicted: 'rot', probabilities: [0.5, 0.5, 0] },
    ],
  ],
  [
    integers,
    [0.25, 0.75, 1, 0],
    [
      { predicted: '-7', probabilities: [0.25, 0.75] },
      { predicted: '3', probabilities: [1, 0] },
    ],
  ],
  [
    regression,
    [10, 8, 12.5, -1, -2, 0],
    [
      { value: 10, quantiles: [8, 12.5] },
      { value: -1, quantiles: [-2, 0] },
    ],
  ],
  [plain, [1e9, -0.5], [{ value: 1e9 }, { value: -0.5 }]],
  [ranking, [3.5, -2], [{ score: 3.5 }, { score: -2 }]],
  [short, [1, 2, 3, 4, -1, 0, 0, 0], [{ embedding: [1, 2, 3, 4] }, { embedding: [-1, 0, 0, 0] }]],
  [
    vectors,
    [...long, ...new Array<number>(long.length).fill(0)],
    [
      { embedding_norm: expect.closeTo(norm, 9) as number, embedding_sha256: sha256 },
      { embedding_norm: 0, embedding_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    ],
  ],
];
const outputs = ['probability', 'label', 'predicted', 'probabilities', 'value', 'quantiles', 'score', 'embedding'];
const isOutput = (name: string) => outputs.some((one) => name === one || name.startsWith('embedding_'));
const outputsOf = (row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).filter(([name, value]) => isOutput(name) && value !== null));

let folder: string;
let lines: string[];
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-answers-'));
  const options = { bootId: 'b', segmentBytesMax: 1e9, segmentAgeMaxMs: 1e6, bytesMax: 1e9, flushEveryMs: 1e6 };
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const spool = new Spool({ folder, whenFull: 'refuse', observer, ...options });
  await spool.start();
  const features = [{ name: 'x', type: 'number' as const }];
  for (const [at, [shape, scores]] of cases.entries()) {
    const width = scores.length / 2;
    for (const rows of [[0, 1], [1]])
      logPrediction(spool, {
        ...{ predictionId: `p-${at}-${rows.length}`, requestId: undefined, at: new Date(0), environment: 'production' },
        ...{ model: 'm', version: at + 1, epoch: 1, role: 'split', cause: undefined, keyDigest: undefined },
        ...{ features, latencyMs: 1, rows: { count: rows.length, columns: [rows.map(Number)] } },
        answer: answerOf(
          shape,
          {
            values: Float32Array.from(rows.flatMap((row) => scores.slice(row * width, (row + 1) * width))),
            width,
          },
          0.6,
        ),
      });
  }
  await spool.close();
  const [name = ''] = await readdir(path.join(folder, 'm'));
  lines = (await readFile(path.join(folder, 'm', name), 'utf8')).trimEnd().split('\n');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** By prediction id. */
const wanted = new Map(
  cases.flatMap(([, , [first, second]], at) => [
    [`p-${at}-2.0`, first],
    [`p-${at}-2.1`, second],
    [`p-${at}-1`, second],
  ]),
);

test('a block of any task is read back as it was answered, and rows of two shapes are in no block together', () => {
  const reader = new SpoolLineReader();
  const rows = lines.flatMap((line) => {
    const read = reader.read(line);
    return read.kind === 'block' ? rowsOfBlock(read.block) : [];
  });
  expect(lines).toHaveLength(cases.length);
  expect(new Map(rows.map((row) => [row['prediction_id'], outputsOf(row)]))).toEqual(wanted);
});

test('answers of all tasks lie in one object, in typed columns of their own', async () => {
  const parquet = path.join(folder, 'all.parquet');
  const [name = ''] = await readdir(path.join(folder, 'm'));
  const converted = await segmentToParquet('predictions', path.join(folder, 'm', name), parquet, folder);
  expect(converted).toMatchObject({ rows: wanted.size, torn: 0, damaged: 0 });
  const session = await openDuckSession({ folder });
  try {
    const rows = await session.rows(`FROM ${parquetTable(parquet)}`, z.record(z.string(), z.unknown()));
    expect(new Map(rows.map((row) => [row['prediction_id'], outputsOf(row)]))).toEqual(wanted);
    const columnSchema = z.object({ column_name: z.string(), column_type: z.string() });
    const described = await session.rows(`DESCRIBE FROM ${parquetTable(parquet)}`, columnSchema);
    const types = Object.fromEntries(described.map((one) => [one.column_name, one.column_type]));
    expect(types).toMatchObject({
      ...{ probability: 'DOUBLE', label: 'BOOLEAN', predicted: 'VARCHAR', probabilities: 'FLOAT[]', value: 'DOUBLE' },
      ...{ quantiles: 'FLOAT[]', score: 'DOUBLE', embedding: 'FLOAT[]', embedding_norm: 'DOUBLE' },
    });
  } finally {
    session.close();
  }
});

test('a line of yes or no says nothing of its task, as gateways of before wrote it', () => {
  expect(lines[0]).not.toContain('answers');
  expect(lines[1]).toContain('"answers":{"task":"multiclass"');
});

test('a block whose scores are not as many as its answers need is torn', () => {
  for (const line of lines) {
    const cut = line.replace(/"scores":"[^"]{6}[^"]*"/, '"scores":"AAAA"');
    expect(new SpoolLineReader().read(cut)).toEqual({ kind: 'torn', rows: 3 });
  }
});
