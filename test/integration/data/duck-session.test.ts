import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openDuckSession, type DuckSession } from '../../../adapters/data-engine/duck-session.js';
import { parquetTable, quoteName, quoteNumber, quoteText } from '../../../adapters/data-engine/quote-sql.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';

let folder: string;
let session: DuckSession | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-duck-'));
});
afterEach(async () => {
  session?.close();
  session = undefined;
  await rm(folder, { recursive: true, force: true });
});

describe('a path', () => {
  it.each(['[ab]', 'store=5', 'a*b', 'wh?t', "it's", 'März 🍕 100%20+#', '{a,b}', '**'])(
    'with %j in it is that path, for the session and for the log of the gateways: no pattern, no column',
    async (name) => {
      const odd = path.join(folder, name);
      const decoy = path.join(folder, 'a-b');
      await Promise.all([odd, decoy].map((one) => mkdir(one, { recursive: true })));
      const line = {
        prediction_id: 'p-1',
        model: 'm',
        label: true,
        observed_at: '2024-01-01T00:00:00Z',
        received_at: '2024-01-01T00:00:00Z',
      };
      const segment = path.join(odd, '20240101T000000Z-x-1');
      await writeFile(segment, `${JSON.stringify(line)}\n`);
      await expect(segmentToParquet('labels', segment, path.join(odd, 'out.parquet'), odd)).resolves.toMatchObject({
        rows: 1,
        torn: 0,
      });
      session = await openDuckSession({ folder: odd });
      await session.run(`COPY (SELECT 1 AS store) TO ${quoteText(path.join(odd, '[1]*?.parquet'))} (FORMAT parquet)`);
      const read = session.rows(
        `FROM ${parquetTable([path.join(odd, '[1]*?.parquet')])}`,
        z.record(z.string(), z.coerce.string()),
      );
      await expect(read).resolves.toEqual([{ store: '1' }]);
      const log = `SELECT prediction_id FROM ${parquetTable(path.join(odd, 'out.parquet'))}`;
      await expect(session.rows(log, z.object({ prediction_id: z.string() }))).resolves.toEqual([
        { prediction_id: 'p-1' },
      ]);
    },
  );
});

describe('a session', () => {
  it('reads only the files it was given and writes only into its folder', async () => {
    const inside = path.join(folder, 'own');
    const given = path.join(folder, 'given.csv');
    const other = path.join(folder, 'other.csv');
    await writeFile(given, 'a\n1\n');
    await writeFile(other, 'a\n2\n');
    await mkdir(inside);
    session = await openDuckSession({ folder: inside, readable: [given] });
    await expect(session.rows(`FROM read_csv('${given}')`, z.object({ a: z.coerce.number() }))).resolves.toEqual([
      { a: 1 },
    ]);
    await session.run(`COPY (SELECT 1 AS a) TO '${inside}/out.parquet'`);
    for (const sql of [
      `FROM read_csv('${other}')`,
      `FROM read_csv('${inside}/../other.csv')`,
      `FROM read_text('/etc/hostname')`,
      `COPY (SELECT 1) TO '${folder}/out.parquet'`,
      `COPY (SELECT 1) TO '${given}'`,
      `ATTACH '${folder}/x.db'`,
      'INSTALL httpfs',
      'SET enable_external_access = true',
      'SET threads = 1',
      `SET allowed_directories = ['/']`,
    ]) {
      await expect(session.run(sql), sql).rejects.toThrow();
    }
  });

  it('ends a query that would run for minutes when its signal is aborted', async () => {
    const controller = new AbortController();
    session = await openDuckSession({ folder, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    const started = performance.now();
    await expect(
      session.run('SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 0'),
    ).rejects.toThrow('enough');
    expect(performance.now() - started).toBeLessThan(5_000);
    await expect(session.run('SELECT 1')).rejects.toThrow('enough');
  });

  it('names its memory limit when that is too small', async () => {
    session = await openDuckSession({ folder, memoryLimitMb: 20, threads: 1 });
    await expect(session.run('SELECT len(list(hash(range))) FROM range(20000000)')).rejects.toMatchObject({
      code: 'environment/broken',
      message: expect.stringContaining('20 MB') as string,
    });
  });
});

describe('quoting', () => {
  it('keeps any name, text and number what it is', async () => {
    session = await openDuckSession({ folder });
    const name = 'we"ird; -- name';
    const text = `it's "quoted"; -- \\ 'x`;
    const rows = await session.rows(
      `SELECT ${quoteText(text)} AS ${quoteName(name)}, ${quoteNumber(-1.5e-7)} AS n`,
      z.record(z.string(), z.unknown()),
    );
    expect(rows).toEqual([{ [name]: text, n: -1.5e-7 }]);
    expect(() => quoteNumber(Number.NaN)).toThrow(RangeError);
    expect(() => quoteText('a\0b')).toThrow(RangeError);
  });
});

it('reads columns in memory as rows, in order, as often as queries ask, until they are taken back', async () => {
  const local = await openDuckSession({ folder, threads: 1 });
  session = local;
  const rows = 5_000;
  const few = ['UA', "O'Hare", 'Zürich'];
  local.offer('numbers', [
    { name: 'text', type: 'VARCHAR', values: Array.from({ length: rows }, (_, row) => `text ${row}`) },
    { name: 'float', type: 'FLOAT', values: Float32Array.from({ length: rows }, (_, row) => row / 4) },
    { name: 'double', type: 'DOUBLE', values: Float64Array.from({ length: rows }, (_, row) => row / 3) },
    { name: 'integer', type: 'INTEGER', values: Int32Array.from({ length: rows }, (_, row) => 7 - row) },
    { name: 'few', type: 'ENUM', values: Uint8Array.from({ length: rows }, (_, row) => row % 3), texts: few },
  ]);
  local.offer('none', [{ name: 'text', type: 'VARCHAR', values: [] }]);
  const schema = z.object({
    text: z.string(),
    float: z.number(),
    double: z.number(),
    integer: z.number(),
    few: z.string(),
  });
  for (let time = 0; time < 2; time += 1) {
    const read = await session.rows(`FROM offered('numbers')`, schema);
    expect(read).toHaveLength(rows);
    for (const row of [0, 2_047, 2_048, 4_999])
      expect(read[row]).toEqual({
        ...{ text: `text ${row}`, float: row / 4, double: row / 3, integer: 7 - row, few: few[row % 3] },
      });
  }
  expect(await session.rows(`FROM offered('none')`, schema)).toEqual([]);
  local.takeBackAll();
  await expect(session.rows(`FROM offered('numbers')`, schema)).rejects.toThrow('no such columns');
});
