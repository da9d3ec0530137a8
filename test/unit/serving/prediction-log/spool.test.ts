import { yesOrNoAnswer } from '../../../support/answers.js';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { rowPredictionId, rowsOfBlock } from '../../../../serving/prediction-log/logged-block.js';
import { logPrediction } from '../../../../serving/prediction-log/prediction-log.js';
import { segmentToParquet } from '../../../../serving/prediction-log/segment-to-parquet.js';
import type { ServedPrediction } from '../../../../serving/prediction-log/served-prediction.js';
import { SpoolLineReader } from '../../../../serving/prediction-log/spool-line-reader.js';
import { Spool, type SpoolOptions } from '../../../../serving/prediction-log/spool.js';

let folder: string;
let lost: Record<string, number>;
let said: (string | undefined)[];
const spools: Spool[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-spool-'));
  lost = {};
  said = [];
});
afterEach(async () => {
  await Promise.all(spools.splice(0).map((spool) => spool.close().catch(() => undefined)));
  await rm(folder, { recursive: true, force: true });
});

async function openSpool(options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const spool = new Spool({
    folder: path.join(folder, 'spool'),
    bootId: 'boot',
    segmentBytesMax: 1_000_000,
    segmentAgeMaxMs: 60_000,
    bytesMax: 1_000_000,
    whenFull: 'drop-oldest',
    flushEveryMs: 60_000,
    observer: {
      bytes: () => undefined,
      lost: (lines, reason) => (lost[reason] = (lost[reason] ?? 0) + lines),
      writing: (_, problem) => said.push(problem),
    },
    ...options,
  });
  await spool.start();
  spools.push(spool);
  return spool;
}

describe('a disk that refuses lines', () => {
  const spoolFolder = () => path.join(folder, 'spool');
  /** As a full or broken one does, for any user: where the folder was stands a file. */
  const breakDisk = async () => {
    await rename(spoolFolder(), `${spoolFolder()}.away`);
    await writeFile(spoolFolder(), '');
  };
  const mendDisk = async () => {
    await rm(spoolFolder());
    await rename(`${spoolFolder()}.away`, spoolFolder());
  };

  test('costs these lines, which are counted, and no others: the spool goes on by itself when it takes them again', async () => {
    const spool = await openSpool({ segmentAgeMaxMs: 0 });
    spool.append('m', 'before');
    await spool.flush();
    await breakDisk();
    spool.append('m', 'lost');
    spool.append('another', 'packed', 3);
    await spool.flush();
    await spool.flush();
    expect([lost, spool.status().writable]).toEqual([{ unwritten: 4 }, false]);
    await expect(spool.appendDurably('m', ['promised'])).rejects.toThrow();
    await mendDisk();
    spool.append('m', 'after');
    spool.append('another', 'after');
    await spool.flush();
    await spool.close();
    expect(spool.status().writable).toBe(true);
    expect(await linesOf('m')).toEqual(['before', 'after']);
    expect(await linesOf('another')).toEqual(['after']);
    expect((await filesOf('m')).filter((name) => name.endsWith('.open'))).toEqual([]);
    expect(said.filter((problem) => problem === undefined)).toHaveLength(2);
    expect(said).toHaveLength(4);
  });

  test('does not keep a gateway from starting', async () => {
    await writeFile(spoolFolder(), '');
    const spool = await openSpool();
    spool.append('m', 'lost');
    await spool.flush();
    expect(lost).toEqual({ unwritten: 1 });
  });

  test('names a closed segment later, if not now', async () => {
    const spool = await openSpool();
    spool.append('m', 'line');
    await spool.flush();
    await breakDisk();
    await spool.close();
    expect(spool.status()).toMatchObject({ segments: 0, bytes: 5 });
    await mendDisk();
    await spool.flush();
    expect(spool.status()).toMatchObject({ segments: 1, bytes: 5 });
    expect(await linesOf('m')).toEqual(['line']);
  });
});

test('segments that an earlier version set aside are tried again', async () => {
  await mkdir(path.join(folder, 'spool', 'm'), { recursive: true });
  const name = '20261101T000000Z-boot-000001.ndjson';
  await writeFile(path.join(folder, 'spool', 'm', `${name}.damaged`), 'line\n');
  const spool = await openSpool();
  expect([await filesOf('m'), spool.status().segments]).toEqual([[name], 1]);
});

const filesOf = async (stream: string) => (await readdir(path.join(folder, 'spool', stream))).sort();
const linesOf = async (stream: string) =>
  (await Promise.all((await filesOf(stream)).map((name) => readFile(path.join(folder, 'spool', stream, name), 'utf8'))))
    .join('')
    .split('\n')
    .filter(Boolean);

/** Writes two served rows and gives the path of their closed segment. */
async function servedSegment(): Promise<string> {
  const spool = await openSpool();
  logPrediction(spool, {
    predictionId: 'p-1',
    requestId: 'r "1"',
    at: new Date('2013-04-01T12:00:00.123Z'),
    environment: 'production',
    model: 'flight-delay',
    version: 2,
    epoch: 7,
    role: 'split',
    cause: undefined,
    keyDigest: '00ff00ff00ff00ff',
    features: [
      { name: 'temp', type: 'number' },
      { name: 'carrier', type: 'string' },
    ],
    rows: {
      count: 2,
      columns: [
        [39.5, NaN],
        ['UA', ''],
      ],
    },
    answer: yesOrNoAnswer(Float32Array.of(0.75, 0.25, 0.125, 0.875)),
    latencyMs: 1.23456,
  });
  await spool.close();
  const [name = ''] = await filesOf('flight-delay');
  return path.join(folder, 'spool', 'flight-delay', name);
}

const textRow = z.record(z.string(), z.unknown());
async function parquetRows(parquet: string): Promise<Record<string, unknown>[]> {
  const session = await openDuckSession({ folder });
  try {
    return await session.rows(`SELECT * REPLACE ("at"::VARCHAR AS "at") FROM '${parquet}' ORDER BY "row"`, textRow);
  } finally {
    session.close();
  }
}

describe('the spool', () => {
  test('closes a segment when it is large or old enough, and keeps every line in order', async () => {
    const spool = await openSpool({ segmentBytesMax: 100 });
    for (let number = 0; number < 30; number += 1) {
      spool.append('m', `{"line":${number}}`);
      if (number % 5 === 4) await spool.flush();
    }
    await spool.close();
    expect((await filesOf('m')).length).toBeGreaterThan(2);
    expect(await linesOf('m')).toEqual(Array.from({ length: 30 }, (_, number) => `{"line":${number}}`));
  });

  test('has the rows of two flushes in a line each, of one kind each, in order, and no line of more than 256 single rows', async () => {
    const spool = await openSpool();
    const features = [{ name: 'temp', type: 'number' as const }];
    const log = (id: string, more: Partial<ServedPrediction> = {}, rows = 1) =>
      logPrediction(spool, {
        ...{ predictionId: id, requestId: undefined, at: new Date(0), environment: 'production', model: 'm' },
        ...{ version: 1, epoch: 1, role: 'split', cause: undefined, keyDigest: undefined, features, latencyMs: 1 },
        rows: { count: rows, columns: [new Array<number>(rows).fill(1.5)] },
        answer: yesOrNoAnswer(new Float32Array(rows * 2)),
        ...more,
      });
    for (let number = 0; number < 300; number += 1) log(`a${number}`);
    log('b', { version: 2 });
    log('c', { epoch: 2 });
    log('d', { role: 'shadow' });
    log('e', {}, 1_000);
    log('f');
    await spool.flush();
    log('g');
    await spool.close();
    const reader = new SpoolLineReader();
    const ids = (await linesOf('m')).map((line) => {
      const read = reader.read(line);
      return read.kind === 'block' ? rowsOfBlock(read.block).map((row) => row['prediction_id']) : [];
    });
    expect(ids.map(({ length }) => length).toSorted((left, right) => left - right)).toEqual([
      1, 1, 1, 1, 1, 44, 256, 1_000,
    ]);
    expect(ids.flat()).toHaveLength(1_305);
    expect(ids.flat().filter((id) => String(id).startsWith('a'))).toEqual(
      Array.from({ length: 300 }, (_, number) => `a${number}`),
    );
    expect(ids.at(-1)).toEqual(['g']);
    expect(lost).toEqual({});
  });

  test('counts each row that was waiting in an open line when the disk refused it', async () => {
    await writeFile(path.join(folder, 'spool'), '');
    const spool = await openSpool();
    spool.begin('m', { rows: 7, line: () => 'seven rows' });
    await spool.flush();
    expect(lost).toEqual({ unwritten: 7 });
  });

  test('adopts what a killed process left, under its own name', async () => {
    await mkdir(path.join(folder, 'spool', 'm'), { recursive: true });
    await writeFile(path.join(folder, 'spool', 'm', '20130401T000000Z-dead-000001.ndjson.open'), '{"a":1}\n{"a":');
    const spool = await openSpool();
    expect(await filesOf('m')).toEqual(['20130401T000000Z-dead-000001.ndjson']);
    expect(spool.status()).toEqual({ bytes: 13, segments: 1, writable: true });
  });

  test('drops the oldest closed segments beyond its bound, and counts their lines', async () => {
    const spool = await openSpool({ segmentBytesMax: 1, bytesMax: 30 });
    for (let number = 0; number < 5; number += 1) {
      spool.append('m', `{"line":${number}}`);
      await spool.flush();
    }
    expect(await linesOf('m')).toEqual(['{"line":3}', '{"line":4}']);
    expect(lost).toEqual({ full: 3 });
  });

  test('counts every line of a segment of an earlier process that it drops, a torn last one included', async () => {
    await mkdir(path.join(folder, 'spool', 'm'), { recursive: true });
    await writeFile(
      path.join(folder, 'spool', 'm', '20130401T000000Z-other-000001.ndjson'),
      '{"line":0}\n{"line":1}\n{"line":2}\n{"li',
    );
    const spool = await openSpool({ bytesMax: 30 });
    await spool.flush();
    expect(await filesOf('m')).toEqual([]);
    expect(lost).toEqual({ full: 4 });
  });

  test('that may not drop refuses when it is full, and stores nothing of what it refused', async () => {
    const spool = await openSpool({ bytesMax: 20, whenFull: 'refuse' });
    await spool.appendDurably('m', ['{"line":0}', '{"line":1}']);
    await expect(spool.appendDurably('m', ['{"line":2}'])).rejects.toThrow('full');
    await spool.close();
    expect(await linesOf('m')).toEqual(['{"line":0}', '{"line":1}']);
  });

  test('has a durable line on disk when it says so', async () => {
    const spool = await openSpool();
    await Promise.all([
      spool.appendDurably('m', ['a']),
      spool.appendDurably('m', ['b', 'c']),
      spool.appendDurably('n', ['d']),
    ]);
    expect(await linesOf('m')).toEqual(['a', 'b', 'c']);
    expect(await linesOf('n')).toEqual(['d']);
  });
});

const whole = { rows: 2, torn: 0, damaged: 0, setAside: [] };

describe('a segment as Parquet', () => {
  test('holds one row a row served, with the features as they were, missing ones null', async () => {
    const segment = await servedSegment();
    const parquet = path.join(folder, 'out.parquet');
    expect(await segmentToParquet('predictions', segment, parquet, folder)).toEqual(whole);
    const rows = await parquetRows(parquet);
    expect(rows[0]).toEqual({
      prediction_id: 'p-1.0',
      request_id: 'r "1"',
      row: 0,
      at: '2013-04-01 12:00:00.123',
      environment: 'production',
      model: 'flight-delay',
      version: 2,
      epoch: 7,
      role: 'split',
      chosen_by: null,
      key_hash: '00ff00ff00ff00ff',
      'temp:number': 39.5,
      'carrier:string': 'UA',
      probability: 0.25,
      label: false,
      latency_ms: 1.235,
    });
    expect(rows[1]).toMatchObject({
      prediction_id: 'p-1.1',
      'temp:number': null,
      'carrier:string': null,
      probability: 0.875,
      label: true,
    });
  });

  test.each([
    ['a torn last line', '{"prediction_id":"p-2","row":0,"at":"2013-04-01T12:0'],
    ['a damaged line', '{"prediction_id":\u0000\u0000\n'],
    ['a line of something else', '[1,2]\n'],
  ])('leaves out %s and counts it', async (_, damage) => {
    const segment = await servedSegment();
    await appendFile(segment, damage);
    const parquet = path.join(folder, 'out.parquet');
    expect(await segmentToParquet('predictions', segment, parquet, folder)).toEqual({ ...whole, torn: 1 });
    expect((await parquetRows(parquet)).map((row) => row['prediction_id'])).toEqual(['p-1.0', 'p-1.1']);
  });

  test('of the same segment is the same, byte for byte', async () => {
    const segment = await servedSegment();
    const [one, two] = [path.join(folder, 'one.parquet'), path.join(folder, 'two.parquet')];
    await segmentToParquet('predictions', segment, one, folder);
    await segmentToParquet('predictions', segment, two, folder);
    expect(await readFile(one)).toEqual(await readFile(two));
  });

  test('of nothing but damage has no rows', async () => {
    const segment = path.join(folder, 'x.ndjson');
    await writeFile(segment, '{"predic');
    const parquet = path.join(folder, 'out.parquet');
    expect(await segmentToParquet('predictions', segment, parquet, folder)).toEqual({ ...whole, rows: 0, torn: 1 });
  });
});

test('a single row carries the request’s own prediction id, several carry their number behind a dot', () => {
  expect(rowPredictionId('p-1', 0, 1)).toBe('p-1');
  expect(rowPredictionId('p-1', 3, 10)).toBe('p-1.3');
});
