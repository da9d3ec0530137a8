import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { featuresOfFiles, featuresOfRow } from '../../../../adapters/data-engine/prediction-log/feature-columns.js';
import { parquetTable } from '../../../../adapters/data-engine/quote-sql.js';
import { jsonOf, type FeatureValue, type ValueType } from '../../../../domain/data/feature/feature-value.js';
import { utcMicrosMax, utcMicrosMin } from '../../../../domain/data/feature/utc-micros.js';
import { BlockBuilder } from '../../../../serving/prediction-log/block-builder.js';
import { rowsOfBlock } from '../../../../serving/prediction-log/logged-block.js';
import { readBlock } from '../../../../serving/prediction-log/read-block.js';
import type { ServedPrediction } from '../../../../serving/prediction-log/served-prediction.js';
import { yesOrNoAnswer } from '../../../support/answers.js';
import { segmentToParquet } from '../../../../serving/prediction-log/segment-to-parquet.js';

const [least, most] = [-(2n ** 63n), 2n ** 63n - 1n];
const texts = ['🍕', '"quoted", [1]', 'a\nb\\', 'null', 'Zürich', '5'];
const times = [0n, -1n, utcMicrosMin, utcMicrosMax, 1_365_339_600_000_001n];
const numbers = [1.5, -0, 0, 2 ** -149, 3.4028234663852886e38, Math.fround(0.1), -17.25];

/** Values that are hard to keep. */
const values: Record<Exclude<ValueType, 'number'>, FeatureValue[]> = {
  integer: [0n, -1n, least, most, 9_007_199_254_740_993n, null],
  boolean: [true, false, null],
  string: texts,
  text: texts,
  timestamp: [...times, null],
  vector: [numbers, numbers.toReversed(), null],
  'number[]': [[], numbers, [-0], null],
  'integer[]': [[], [least, most, 0n], null],
  'boolean[]': [[], [true, false, true], null],
  'string[]': [[], [''], texts, null],
  'timestamp[]': [[], times, null],
  'text[]': [[], texts, null],
};

test('values of every type are the same in the spool and in the object store as in the request', async () => {
  const types = Object.keys(values) as (keyof typeof values)[];
  const features = types.map((type, index) => ({ name: `f${index}`, type }));
  const rows = 12;
  const columns = types.map((type) =>
    Array.from({ length: rows }, (_, row) => values[type][row % values[type].length] ?? null),
  );
  const served: ServedPrediction = {
    ...{ predictionId: 'p', requestId: undefined, at: new Date(), environment: 'production', model: 'm', version: 1 },
    ...{ epoch: 1, role: 'split', cause: undefined, keyDigest: undefined, features, latencyMs: 1 },
    rows: { count: rows, columns },
    answer: yesOrNoAnswer(new Float32Array(2 * rows)),
  };
  const builder = new BlockBuilder(served);
  builder.add(served);
  const line = builder.line();
  const expected = columns[0]?.map((_, row) =>
    Object.fromEntries(features.map(({ name, type }, index) => [name, jsonOf(type, columns[index]?.[row] ?? null)])),
  );

  const block = readBlock(line);
  expect(block && rowsOfBlock(block).map((row) => row['features'])).toEqual(expected);

  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-staged-'));
  const session = await openDuckSession({ folder });
  try {
    const [segment, parquet] = [path.join(folder, 'segment.ndjson'), path.join(folder, 'segment.parquet')];
    await writeFile(segment, `${line}\n`);
    await segmentToParquet('predictions', segment, parquet, folder);
    const known = await featuresOfFiles(session, [parquet]);
    const found = await session.rows(`FROM ${parquetTable(parquet)} ORDER BY "row"`, z.record(z.string(), z.unknown()));
    expect(found.map((row) => featuresOfRow(row, known))).toEqual(expected);
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
  }
});
