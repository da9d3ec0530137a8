import { yesOrNoAnswer } from '../../../support/answers.js';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { convertSegment } from '../../../../serving/prediction-log/convert-segment.js';
import { logPrediction } from '../../../../serving/prediction-log/prediction-log.js';
import { Spool } from '../../../../serving/prediction-log/spool.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-convert-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A closed segment of requests with these ids and texts, of one row or two. */
async function segmentOf(requests: readonly { id?: string; text?: string; rows: 1 | 2 }[]): Promise<string> {
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const limits = { segmentBytesMax: 1e7, segmentAgeMaxMs: 60_000, bytesMax: 1e7, flushEveryMs: 60_000 };
  const spool = new Spool({
    folder: path.join(folder, 'spool'),
    bootId: 'boot',
    whenFull: 'refuse',
    observer,
    ...limits,
  });
  await spool.start();
  for (const [index, { id, text = 'UA', rows }] of requests.entries()) {
    logPrediction(spool, {
      ...{
        predictionId: `p-${index}`,
        requestId: id,
        at: new Date('2026-11-01T00:00:00Z'),
        environment: 'production',
        model: 'm',
      },
      ...{ version: 1, epoch: 1, role: 'split', cause: undefined, keyDigest: undefined, latencyMs: 1 },
      features: [
        { name: 'temp', type: 'number' },
        { name: 'carrier', type: 'string' },
      ],
      rows: { count: rows, columns: [new Array<number>(rows).fill(1.5), new Array<string>(rows).fill(text)] },
      answer: yesOrNoAnswer(new Float32Array(rows * 2).fill(0.5), 0.6),
    });
  }
  await spool.close();
  const [name = ''] = await readdir(path.join(folder, 'spool', 'm'));
  return path.join(folder, 'spool', 'm', name);
}

async function idsOf(parquet: string): Promise<string[]> {
  const session = await openDuckSession({ folder });
  try {
    const rows = await session.rows(
      `SELECT prediction_id FROM '${parquet}' ORDER BY ALL`,
      z.object({ prediction_id: z.string() }),
    );
    return rows.map((row) => row.prediction_id);
  } finally {
    session.close();
  }
}

const half = '\ud83d';

test('a request that no log can hold costs itself: what everybody else was answered is written, and what is lost is counted', async () => {
  const requests = Array.from({ length: 40 }, (_, index) => ({
    id: `r-${index}`,
    rows: index % 3 === 0 ? (2 as const) : (1 as const),
  }));
  const bad = new Set([6, 13, 27]);
  const segment = await segmentOf(
    requests.map((one, index) =>
      bad.has(index) ? (index === 13 ? { ...one, text: `a${half}`, rows: 2 } : { ...one, id: `r${half}` }) : one,
    ),
  );
  const parquet = path.join(folder, 'out.parquet');
  const { rows, torn, damaged, setAside } = await convertSegment('predictions', segment, parquet, folder);
  const expected = requests.flatMap(({ rows: count }, index) =>
    bad.has(index) ? [] : count === 1 ? [`p-${index}`] : [`p-${index}.0`, `p-${index}.1`],
  );
  expect(await idsOf(parquet)).toEqual(expected.toSorted());
  expect([rows, torn, damaged, setAside.length]).toEqual([expected.length, 0, 6, 3]);
});

test('a segment of nothing else is set aside whole, and leaves no file', async () => {
  const segment = await segmentOf([{ id: half, rows: 2 }]);
  const converted = await convertSegment('predictions', segment, path.join(folder, 'out.parquet'), folder);
  expect(converted).toMatchObject({ rows: 0, torn: 0, damaged: 2, setAside: [expect.stringContaining('"rows":2')] });
});

test('what stands in the way of any segment is no fault of its lines: nothing is set aside', async () => {
  const segment = await segmentOf([{ id: half, rows: 2 }, { rows: 2 }]);
  const gone = path.join(folder, 'gone');
  await mkdir(gone);
  await rm(gone, { recursive: true });
  await writeFile(gone, '');
  await expect(convertSegment('predictions', segment, path.join(gone, 'out.parquet'), gone)).rejects.toThrow();
});
