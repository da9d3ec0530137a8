import { openAsBlob } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { snapshotByDigest } from '../../../db/data/partition-queries.js';
import { openLakeBench, type LakeBench } from './lake-bench.js';

let bench: LakeBench;
beforeAll(async () => {
  bench = await openLakeBench();
  await putTable(
    'stores',
    await bench.write(`select * from (values ('S0', 1.0), ('S1', 2.0), ('S2', 3.0)) v(store, size)`),
  );
  await put('2024-02', await bench.month('2024-02'));
});
afterAll(() => bench.close());

const lake = () => `lake/${bench.model.name}`;
const putTable = async (table: string, file: string) =>
  bench.api.putData({ model: bench.model.name, table, bytes: await openAsBlob(file) });
const put = async (partition: string, file: string, more: { append?: boolean; force?: boolean } = {}) =>
  bench.api.putData({ model: bench.model.name, table: 'sales', partition, bytes: await openAsBlob(file), ...more });
/** As an S3 client would put it. */
const putObject = (key: string, file: string) => bench.store.put(`${lake()}/${key}`, { file });
const listing = () => bench.api.data(bench.model.name);

/** The rows of each partition of the snapshot; fails with its reason where there is none. */
async function rowsOfSnapshot(): Promise<Record<string, number>> {
  const result = await bench.snapshot();
  if (result.outcome !== 'taken') throw new Error(result.reason);
  const { train, holdout } = await snapshotByDigest(bench.db, result.snapshotSha256);
  return Object.fromEntries([...train, ...holdout].map((file) => [file.partition, file.rows]));
}
const reason = async () => {
  const result = await bench.snapshot();
  return result.outcome === 'taken' ? result.summary : result.reason;
};

describe('a file in the lake', () => {
  const names = [
    'store=5/rows.parquet',
    'rows[1].parquet',
    'part 0.parquet',
    'März.parquet',
    'Ma\u0308rz.parquet',
    'a+b%20.parquet',
    'wh?t.parquet',
    '*.parquet',
    "it's #1 & <2>.parquet",
    '🍕.parquet',
    `${'x'.repeat(240)}.parquet`,
    'day=03/amount=7/Region Süd/part 0.parquet',
  ];

  test('may have any name, and its rows are the ones that are read, whatever its folders are called', async () => {
    for (const [index, name] of names.entries()) {
      const rows = `select 1000 + ${index} id, timestamp '2024-03-05' as "at", 'S1' as store, 3.5 amount,
        true returned`;
      await putObject(`sales/month=2024-03/${name}`, await bench.write(rows));
    }
    await putObject('sales/month=2024-03/plain.parquet', await bench.month('2024-03', 40));
    expect(await rowsOfSnapshot()).toEqual({ '2024-02': 60, '2024-03': 40 + names.length });
    const { tables, validations, notRead } = await listing();
    expect(tables[0]?.partitions[1]).toMatchObject({ partition: '2024-03', files: names.length + 1 });
    expect(validations.map(({ partition, state }) => `${partition} ${state}`)).toEqual([
      '2024-02 valid',
      '2024-03 valid',
    ]);
    expect(notRead.files).toBe(0);
  });

  test('that is replaced by a put goes, wherever below the partition it lay', async () => {
    const { replaced } = await put('2024-03', await bench.month('2024-03', 50));
    expect(replaced).toHaveLength(names.length + 1);
    expect(await rowsOfSnapshot()).toEqual({ '2024-02': 60, '2024-03': 50 });
  });

  test('is no data when it is a leftover of a writer: `_` or `.` before its name or a folder’s, or empty', async () => {
    const file = await bench.month('2024-03', 7);
    for (const key of [
      'stores/_temporary/0/part.parquet',
      'stores/.x.parquet',
      'sales/month=2024-03/_x.parquet',
      'sales/month=2024-03/.c/p.parquet',
    ])
      await putObject(key, file);
    await bench.store.put(`${lake()}/sales/month=2024-03/_SUCCESS`, '');
    await bench.store.put(`${lake()}/sales/month=2024-03_$folder$`, '');
    expect(await rowsOfSnapshot()).toEqual({ '2024-02': 60, '2024-03': 50 });
    expect((await listing()).notRead).toEqual({ files: 0, first: [] });
  });

  test('that lies where nothing reads it is named, by the run and by `data ls`', async () => {
    const file = await bench.month('2024-04', 7);
    const strays = [
      'sales/month=2024-4/p.parquet',
      'sales/month=2024-13/p.parquet',
      'sales/Month=2024-04/p.parquet',
      'sales/month=2024-04 /p.parquet',
    ];
    const others = [
      'sales/p.parquet',
      'sales/month=2024-04/p.csv',
      'sale/month=2024-04/p.parquet',
      'constructor/p.parquet',
      'p.parquet',
    ];
    for (const key of [...strays, ...others]) await putObject(key, file);
    const { notRead } = await listing();
    expect(notRead.first.map(({ key }) => key.slice(lake().length + 1)).toSorted()).toEqual(
      [...strays, ...others].toSorted(),
    );
    expect((await bench.perdure('data', 'ls', bench.model.name)).stdout).toMatch(
      /month=2024-4\/p\.parquet.*folder month=YYYY-MM/,
    );
    expect(await reason()).toMatch(/Not read: .* and 6 more/);
    for (const { key } of notRead.first) await bench.store.delete(key);
  });
});

describe('a put', () => {
  test('while a snapshot is taken leaves it the old partition or the new one, whole', async () => {
    const sizes = [50, 61, 72];
    const files = await Promise.all(sizes.map((rows) => bench.month('2024-03', rows)));
    let done = false;
    const putting = (async () => {
      for (let round = 0; !done; round += 1) await put('2024-03', files[round % files.length] ?? '');
    })();
    try {
      for (let round = 0; round < 4; round += 1) expect(sizes).toContain((await rowsOfSnapshot())['2024-03']);
    } finally {
      done = true;
      await putting;
    }
    expect((await listing()).tables[0]?.partitions[1]).toMatchObject({
      files: 1,
      ruledBy: 'manifest',
      putBy: 'unknown',
    });
  });

  test('into the future, before the window or after a gap is refused with the reason, and lands with --force', async () => {
    const file = await bench.month('2024-07');
    const cli = (partition: string, ...more: string[]) =>
      bench.perdure('data', 'put', bench.model.name, 'sales', file, '--partition', partition, ...more);
    expect(await cli('2042-06')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('2042-06 is in the future'),
    });
    expect(await cli('2024-01')).toMatchObject({ code: 2, stderr: expect.stringContaining('before 2024-02') });
    expect(await cli('2024-07')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/missing: 2024-04 … 2024-06.*--force/s),
    });
    expect((await listing()).tables[0]?.partitions).toHaveLength(2);
    expect(await cli('9999-12', '--force')).toMatchObject({ code: 0 });
    expect(await reason()).toContain('The window 2024-02 to 9999-12 has gaps: 2024-04 … 9999-11 has not arrived.');
  });

  test('can be undone: `data rm` takes the partition away, says who and why, and runs go on', async () => {
    const rm = (...more: string[]) =>
      bench.perdure('data', 'rm', bench.model.name, 'sales', ...more, '--reason', 'a slip of the pen', '--json');
    await put('2024-03', await bench.month('2024-03', 50));
    expect(JSON.parse((await rm('--partition', '9999-12')).stdout).removed).toHaveLength(1);
    expect(await rowsOfSnapshot()).toEqual({ '2024-02': 60, '2024-03': 50 });
    expect(await rm('--partition', '9999-12')).toMatchObject({
      code: 6,
      stderr: expect.stringContaining('is empty'),
    });
    expect(await rm()).toMatchObject({ code: 2, stderr: expect.stringContaining('partition') });
    const [newest] = await bench.db
      .sql`select generation, keys, actor, reason, replaced from lake_changes order by id desc limit 1`;
    expect(newest).toMatchObject({
      generation: 2,
      keys: null,
      actor: 'ada@example.org',
      reason: 'a slip of the pen',
      replaced: [expect.any(String)],
    });
  });
});

describe('a verdict', () => {
  const verdict = async () => (await listing()).validations.find(({ partition }) => partition === '2024-03')?.state;
  const decide = (word: 'release' | 'discard') =>
    bench.perdure('quarantine', word, bench.model.name, '2024-03', '--comment', 'checked', '--json');

  test('is of the content in place: good, bad, good again', async () => {
    const good = await bench.month('2024-03', 50);
    const bad = await bench.month('2024-03', 51, -1);
    await put('2024-03', good);
    await reason();
    expect(await verdict()).toBe('valid');
    await put('2024-03', bad);
    expect(await verdict()).toBeUndefined();
    expect(await decide('discard')).toMatchObject({ code: 6, stderr: expect.stringContaining('is not validated yet') });
    expect(await reason()).toContain('2024-03 is in quarantine');
    expect(await verdict()).toBe('quarantined');
    expect((await bench.perdure('quarantine', 'ls')).stdout).toContain('2024-03');
    await put('2024-03', good);
    await reason();
    expect(await verdict()).toBe('valid');
    expect((await bench.perdure('quarantine', 'ls')).stdout).toContain('Nothing is in quarantine.');
    for (const word of ['release', 'discard'] as const)
      expect(await decide(word)).toMatchObject({ code: 1, stderr: expect.stringContaining('valid and in use') });
    expect(await rowsOfSnapshot()).toMatchObject({ '2024-03': 50 });
  });

  test('that a person gave stays with the content: bad, discarded, good, bad', async () => {
    await put('2024-03', await bench.month('2024-03', 51, -1));
    await reason();
    expect(await decide('discard')).toMatchObject({ code: 0 });
    expect(await decide('discard')).toMatchObject({ code: 1, stderr: expect.stringContaining('discarded already') });
    await put('2024-03', await bench.month('2024-03', 50));
    await reason();
    expect(await verdict()).toBe('valid');
    await put('2024-03', await bench.month('2024-03', 51, -1));
    await reason();
    expect(await verdict()).toBe('discarded');
  });
});
