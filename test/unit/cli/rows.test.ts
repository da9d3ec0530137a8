import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputTensors } from '../../../cli/input-tensors.js';
import { readRows, type Row } from '../../../cli/read-rows.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-rows-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function all(file: string, batchRows = 2): Promise<Row[][]> {
  const batches: Row[][] = [];
  for await (const batch of readRows(file, batchRows)) batches.push(batch);
  return batches;
}

describe('rows of a file', () => {
  const rows = [
    { carrier: 'UA', dep_delay: 3 },
    { carrier: 'AA', dep_delay: null },
    { carrier: 'B6', dep_delay: -4.5 },
  ];

  test('JSON comes in batches of the size asked for', async () => {
    const file = path.join(folder, 'rows.json');
    await writeFile(file, JSON.stringify(rows));
    expect(await all(file)).toEqual([rows.slice(0, 2), rows.slice(2)]);
  });

  test('CSV has numbers, texts and missing values', async () => {
    const file = path.join(folder, "rows'.csv");
    await writeFile(file, 'carrier,dep_delay\nUA,3\nAA,\nB6,-4.5\n');
    expect((await all(file)).flat()).toEqual(rows);
  });

  test('Parquet gives 64-bit integers as numbers and times as ISO text', async () => {
    const file = path.join(folder, 'rows.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`copy (select 7::bigint as flight, timestamp '2013-01-02 03:04:05' as observed_at) to '${file}'`);
    expect(await all(file)).toEqual([[{ flight: 7, observed_at: '2013-01-02T03:04:05.000Z' }]]);
  });

  test.each([
    ['not.json', '{"a": ', /cannot be read as JSON/],
    ['object.json', '{"a": 1}', /array of objects/],
    ['cut.parquet', 'PAR1', /cannot be read/],
    ['rows.txt', 'a', /\.json, \.csv or \.parquet/],
  ])('%s is refused by name', async (name, content, message) => {
    const file = path.join(folder, name);
    await writeFile(file, content);
    await expect(all(file)).rejects.toThrow(message);
    await expect(all(file)).rejects.toThrow(name);
  });
});

describe('tensors for the gateway', () => {
  const model = {
    name: 'flight-delay',
    inputs: [
      { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'dep_delay', datatype: 'FP32', shape: [-1, 1] },
    ],
    outputs: [],
  };

  test('one per input in the order of the model; other columns are left out, missing values are null', () => {
    expect(
      inputTensors(
        model,
        [
          { dep_delay: 3, carrier: 'UA', id: 1 },
          { dep_delay: null, carrier: null },
        ],
        0,
      ),
    ).toEqual([
      { name: 'carrier', datatype: 'BYTES', shape: [2, 1], data: ['UA', null] },
      { name: 'dep_delay', datatype: 'FP32', shape: [2, 1], data: [3, null] },
    ]);
  });

  test('a missing column and a wrong type are refused with the row of the file and the column', () => {
    expect(() => inputTensors(model, [{ carrier: 'UA' }], 500)).toThrow('Row 501: dep_delay is missing');
    expect(() => inputTensors(model, [{ carrier: 'UA', dep_delay: 'late' }], 0)).toThrow(
      'Row 1: dep_delay is "late", where a number is expected',
    );
  });
});
