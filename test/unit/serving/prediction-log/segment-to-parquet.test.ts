import { yesOrNoAnswer } from '../../../support/answers.js';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { featuresOfFiles, featuresOfRow } from '../../../../adapters/data-engine/prediction-log/feature-columns.js';
import { parquetTable } from '../../../../adapters/data-engine/quote-sql.js';
import type { LoggedType } from '../../../../domain/serving/logged-features.js';
import { blockLine, rowsOfBlock } from '../../../../serving/prediction-log/logged-block.js';
import { logPrediction } from '../../../../serving/prediction-log/prediction-log.js';
import { segmentToParquet } from '../../../../serving/prediction-log/segment-to-parquet.js';
import { Spool } from '../../../../serving/prediction-log/spool.js';
import { SpoolLineReader } from '../../../../serving/prediction-log/spool-line-reader.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'perdure-packed-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Numbers as models meet them, and those that are hard to write: whole, missing, tiny, huge, minus zero, not exact. */
const numbers = [2013, 39.55, NaN, -0, 1e-7, 3e20, -17.25, 0.1, 16_777_217, 1e15].map(Math.fround);
const strings = ['UA', '', 'say "hello"', 'Zürich', '\\n', 'null', 'a\nb', '🛫', "O'Hare", '5'];

type Feature = { name: string; type: LoggedType };

interface Request {
  id: string;
  /** A name that begins with an s is a text's, unless it is said. */
  features: readonly (string | Feature)[];
  rows: number;
  version?: number;
  role?: 'split' | 'shadow';
}

/** Lists of features stay the same object, as those of a loaded version do. */
const lists = new Map<string, readonly Feature[]>();
function listOf(features: Request['features']): readonly Feature[] {
  const key = JSON.stringify(features);
  const list =
    lists.get(key) ??
    features.map((one) => (typeof one === 'string' ? { name: one, type: /^s/i.test(one) ? 'string' : 'number' } : one));
  lists.set(key, list);
  return list;
}

/** The lines that a gateway writes for these requests, and its segment. */
async function linesOf(requests: readonly Request[]): Promise<string[]> {
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const limits = { segmentBytesMax: 1e9, segmentAgeMaxMs: 1e9, bytesMax: 1e9, flushEveryMs: 1e6 };
  const spoolFolder = await mkdtemp(path.join(folder, 'spool-'));
  const spool = new Spool({ folder: spoolFolder, bootId: 'boot', whenFull: 'refuse', observer, ...limits });
  await spool.start();
  for (const { id, features, rows, version = 2, role = 'split' } of requests) {
    logPrediction(spool, {
      ...{
        predictionId: id,
        requestId: `r "${id}"`,
        at: new Date('2013-04-01T12:00:00.123Z'),
        environment: 'production',
      },
      ...{ model: 'm', version, epoch: 7, role, cause: undefined, keyDigest: undefined, latencyMs: 1.5 },
      features: listOf(features),
      rows: {
        count: rows,
        columns: listOf(features).map(({ type }, feature) =>
          type === 'string'
            ? Array.from({ length: rows }, (_, row) => strings[(row + feature) % strings.length] ?? '')
            : Array.from({ length: rows }, (_, row) => numbers[(row + feature) % numbers.length] ?? NaN),
        ),
      },
      answer: {
        ...yesOrNoAnswer(Float32Array.from({ length: rows * 2 }, (_, row) => row / rows / 2)),
        places: Int32Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 1 : 0)),
      },
    });
  }
  await spool.close();
  const [name = ''] = await readdir(path.join(spoolFolder, 'm'));
  return (await readFile(path.join(spoolFolder, 'm', name), 'utf8')).trimEnd().split('\n');
}

/** Rows by id, with their features by name. */
async function stored(lines: readonly string[], torn = 0): Promise<Map<unknown, Record<string, unknown>>> {
  const segment = path.join(folder, 'segment.ndjson');
  const parquet = path.join(folder, `${Math.random()}.parquet`);
  await writeFile(segment, `${lines.join('\n')}\n`);
  expect(await segmentToParquet('predictions', segment, parquet, folder)).toMatchObject({ torn });
  const session = await openDuckSession({ folder });
  try {
    const features = await featuresOfFiles(session, [parquet]);
    const rows = await session.rows(`FROM ${parquetTable(parquet)}`, z.record(z.string(), z.unknown()));
    const own = (row: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.includes(':')));
    return new Map(
      rows.map((row) => [row['prediction_id'], { ...own(row), features: withoutSign(featuresOfRow(row, features)) }]),
    );
  } finally {
    session.close();
  }
}

/** JSON text knows no minus zero. */
const withoutSign = (features: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(features).map(([name, value]) => [name, value === 0 ? 0 : value]));

/** What the first gateways wrote for the same rows: each row with the names of its features. */
function namedLines(lines: readonly string[]): string[] {
  const reader = new SpoolLineReader();
  return lines.flatMap((line) => {
    const read = reader.read(line);
    return read.kind === 'block' ? rowsOfBlock(read.block).map((row) => JSON.stringify(row)) : [];
  });
}

describe('a row lies in the object store the same, however its line was written', () => {
  const requests: Request[] = [
    { id: 'a', features: ['n1', 's1', 'n2', 's2'], rows: 25 },
    { id: 'b', features: ['n1', 's1', 'n2', 's2'], rows: 2_100 },
    { id: 'c', features: ['n1'], rows: 3, version: 3 },
    { id: 'd', features: ['s1', 'n1'], rows: 2, version: 4, role: 'shadow' },
    ...strings.map((_, at): Request => ({ id: `${at}`, features: ['n1', 's1'], rows: 1, version: 5 + (at % 2) })),
    { id: 'x', features: ['n1', 's1'], rows: 2, version: 5 },
  ];

  test('in blocks, or by the first gateways: whatever its numbers and texts, features, suffix and count', async () => {
    const lines = await linesOf(requests);
    const named = namedLines(lines);
    expect(named).toHaveLength(2_142);
    const expected = await stored(named);
    const found = await stored([...lines.slice(0, 2), (named[0] ?? '').replace('"a.0"', '"alone"'), ...lines.slice(2)]);
    expect(found.get('alone')).toEqual({ ...expected.get('a.0'), prediction_id: 'alone' });
    found.delete('alone');
    expect(found.size).toBe(named.length);
    for (const [id, row] of expected) expect(found.get(id)).toEqual(row);
    expect(found.get('a.2')?.['features']).toEqual({ n1: null, s1: 'Zürich', n2: Math.fround(1e-7), s2: 'null' });
    expect(found.get('1')).toMatchObject({ version: 6, features: { n1: 2013, s1: null }, role: 'split', epoch: 7 });
    expect(found.get('x.1')).toEqual({
      ...{ ...found.get('0'), prediction_id: 'x.1', request_id: 'r "x"', row: 1 },
      ...{ features: { n1: Math.fround(39.55), s1: 'say "hello"' }, probability: 0.75, label: false },
    });
  });

  test('a segment of the releases before blocks gives the rows that those releases made of it', async () => {
    const [lines = [], rows = []] = await Promise.all(
      ['older-segment.ndjson', 'older-segment.rows.ndjson'].map(async (name) =>
        (await readFile(path.join(import.meta.dirname, name), 'utf8')).trimEnd().split('\n'),
      ),
    );
    const found = await stored(lines);
    const expected = rows.map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)));
    expect(found.size).toBe(expected.length);
    for (const row of expected) expect(found.get(row['prediction_id'])).toEqual(row);
    const blocks = lines.flatMap((line) => (line.startsWith('{"packed"') ? [new SpoolLineReader().read(line)] : []));
    const again = blocks.map((read) => (read.kind === 'block' ? blockLine(read.block) : ''));
    for (const [id, row] of await stored(again)) expect(row).toEqual(found.get(id));
  });
});

test('features that versions type differently, or spell differently, or that only some have, lie beside one another', async () => {
  const requests: Request[] = [
    { id: 'a', features: ['n1', 'sky', 'nOld'], rows: 1, version: 1 },
    { id: 'b', features: ['N1', { name: 'sky', type: 'number' }], rows: 1, version: 2 },
  ];
  const lines = await linesOf(requests);
  for (const all of [lines, namedLines(lines)]) {
    const found = await stored(all);
    expect(found.get('a')?.['features']).toEqual({ n1: 2013, sky: null, nOld: null });
    expect(found.get('b')?.['features']).toEqual({ N1: 2013, sky: Math.fround(39.55) });
  }
});

test('texts are as they were when there are a few, hundreds, or one a row, and when some are missing', async () => {
  const texts = Array.from({ length: 600 }, (_, at) => `text ${at}`);
  for (const distinct of [1, 255, 256, 600]) {
    const [line = ''] = await linesOf([{ id: 'a', features: ['s1', 's2'], rows: 600 }]);
    const read = new SpoolLineReader().read(line);
    if (read.kind !== 'block') throw new Error('no block');
    const codes = [0, 1].flatMap((missing) =>
      texts.map((_, at) => (missing === 1 && at === 5 ? 0 : (at % distinct) + 1)),
    );
    const found = await stored([blockLine({ ...read.block, texts, codes: Uint16Array.from(codes) })]);
    for (const at of [0, 5, 254, 255, 256, 599]) {
      const text = texts[at % distinct];
      expect(found.get(`a.${at}`)?.['features']).toEqual({ s1: text, s2: at === 5 ? null : text });
    }
  }
});

test('64-bit integers, booleans and times keep their value and type', async () => {
  const context = {
    context: '1/split',
    environment: 'production',
    model: 'm',
    version: 1,
    role: 'split',
    chosen_by: null,
  };
  const row = {
    prediction_id: 'p',
    context: '1/split',
    request_id: null,
    at: '2013-04-01T12:00:00Z',
    epoch: 1,
    key_hash: null,
  };
  const values = ['9007199254740993', 'true', '2013-04-01T12:00:00.123456Z'];
  const found = await stored([
    JSON.stringify({ ...context, features: ['big', 'on', 'when', 'x'], types: 'ibtn' }),
    JSON.stringify({ ...row, latency_ms: 1, n: [0.5], s: values, probability: 0.5, label: true }),
  ]);
  expect(found.get('p')?.['features']).toEqual({
    big: '9007199254740993',
    on: true,
    when: '2013-04-01T12:00:00.123456Z',
    x: 0.5,
  });
});

test('hundreds of features are as many columns', async () => {
  const features = Array.from({ length: 800 }, (_, at) => `${at % 5 === 0 ? 's' : 'n'}${at}`);
  const found = await stored(
    await linesOf([
      { id: 'a', features, rows: 1 },
      { id: 'b', features, rows: 3 },
    ]),
  );
  expect(Object.keys(found.get('a')?.['features'] ?? {})).toEqual(features);
  expect(Object.keys(found.get('b.2')?.['features'] ?? {})).toEqual(features);
  expect(found.get('b.0')?.['features']).toEqual(found.get('a')?.['features']);
});

test('a torn line costs itself, a block its rows, and a torn context the rows that name it', async () => {
  const whole = await linesOf([
    { id: 'a', features: ['n1'], rows: 1, version: 1 },
    { id: 'b', features: ['n1'], rows: 3, version: 2 },
    { id: 'c', features: ['n1'], rows: 1, version: 3 },
  ]);
  const [a = '', b = '', c = ''] = whole;
  expect([...(await stored([a, b.slice(0, -20), c], 3)).keys()]).toEqual(['a', 'c']);
  for (const damaged of [
    b.replace('"rows":3', '"rows":4'),
    b.replace(/"scores":"[^"]*"/, '"scores":"AAAA"'),
    b.replace(/"ids":"[^"]*"/, '"ids":"b c"'),
    b.replace(/"types":"n"/, '"types":"x"'),
  ])
    expect([...(await stored([a, damaged, c], damaged.includes('"rows":4') ? 4 : 3)).keys()]).toEqual(['a', 'c']);

  const context = { environment: 'production', model: 'm', version: 1, role: 'split', chosen_by: null };
  const [kept, gone] = ['1/split', '9/split'].map((key) =>
    JSON.stringify({ context: key, ...context, features: ['n1'], types: 'n' }),
  );
  const row = (id: string, key: string) =>
    JSON.stringify({
      ...{ prediction_id: id, context: key, request_id: null, at: '2013-04-01T12:00:00.000Z', epoch: 1 },
      ...{ key_hash: null, latency_ms: 1, n: [0.5], s: [], probability: 0.5, label: true },
    });
  const lines = [kept ?? '', row('a', '1/split'), (gone ?? '').slice(0, 60), row('b', '9/split')];
  expect([...(await stored(lines, 1)).keys()]).toEqual(['a']);
});
