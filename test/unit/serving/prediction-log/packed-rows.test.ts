import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { openDuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { packedLine } from '../../../../serving/prediction-log/packed-line.js';
import { segmentToParquet } from '../../../../serving/prediction-log/segment-to-parquet.js';
import { unpackLine } from '../../../../serving/prediction-log/unpack-line.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'perdure-packed-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/**
 * Numbers as models meet them, and those that are hard to write: whole, missing, tiny, huge, minus zero, not exact in
 * FP32.
 */
const numbers = [2013, 39.55, NaN, -0, 1e-7, 3e20, -17.25, 0.1, 16_777_217, 1e15].map(Math.fround);
const strings = ['UA', '', 'say "hello"', 'Zürich', '\\n', 'null'];

function line(id: string, names: readonly string[], count: number, suffix = ''): string {
  const columns = names.map((name, feature) =>
    name.startsWith('s')
      ? Array.from({ length: count }, (_, row) => strings[(row + feature) % strings.length] ?? '')
      : Array.from({ length: count }, (_, row) => numbers[(row + feature) % numbers.length] ?? NaN),
  );
  return packedLine(
    id,
    '"request_id":"r ' +
      `\\"${id}\\"","at":"2013-04-01T12:00:00.123Z","environment":"production","model":"m","version":2,"epoch":7,"role":"override","chosen_by":"key","key_hash":null,"latency_ms":1.5`,
    {
      suffix,
      features: names.map((name) => ({ name })),
      rows: { count, columns },
      scores: Float32Array.from({ length: count }, (_, row) => row / count),
      positives: Array.from({ length: count }, (_, row) => row % 3 === 0),
    },
  );
}

async function stored(lines: readonly string[]): Promise<Map<unknown, Record<string, unknown>>> {
  const segment = path.join(folder, 'segment.ndjson');
  const parquet = path.join(folder, 'segment.parquet');
  await writeFile(segment, `${lines.join('\n')}\n`);
  expect(await segmentToParquet('predictions', segment, parquet, folder)).toMatchObject({ torn: 0 });
  const session = await openDuckSession({ folder });
  try {
    const rows = await session.rows(`FROM '${parquet}'`, z.record(z.string(), z.unknown()));
    return new Map(
      rows.map((row) => [row['prediction_id'], { ...row, features: JSON.parse(String(row['features'])) }]),
    );
  } finally {
    session.close();
  }
}

test('several rows lie in the object store exactly as single rows would: whatever their numbers and strings, features, suffix and count', async () => {
  const packed = [
    line('a', ['n1', 's1', 'n2', 's2'], 25),
    line('b', ['n1', 's1', 'n2', 's2'], 2_100),
    line('c', ['n1'], 3),
    line('d', ['s1', 'n1'], 2, '~v3'),
  ];
  const single = packed.flatMap((one) => unpackLine(one) ?? []);
  expect(single).toHaveLength(2_130);
  const [between = '', ...others] = single;
  const expected = await stored(single);
  const found = await stored([...packed.slice(0, 2), between.replace('"a.0"', '"alone"'), ...packed.slice(2)]);
  expect(found.get('alone')).toEqual({ ...expected.get('a.0'), prediction_id: 'alone' });
  found.delete('alone');
  expect(found.size).toBe(others.length + 1);
  for (const [id, row] of expected) expect(found.get(id)).toEqual(row);
});
