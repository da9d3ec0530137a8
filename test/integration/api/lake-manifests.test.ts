import { openAsBlob } from 'node:fs';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createLakeRetentionActivities } from '../../../activities/data/lake-retention.js';
import { snapshotByDigest } from '../../../db/data/partition-queries.js';
import { lakeFindings } from '../../../infra/embedded/doctor/doctor-lake.js';
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
beforeEach(async () => put('2024-03', await bench.month('2024-03', 50)));

const place = () => `lake/${bench.model.name}/sales/month=2024-03/`;
const putTable = async (table: string, file: string) =>
  bench.api.putData({ model: bench.model.name, table, bytes: await openAsBlob(file) });
const put = async (partition: string, file: string, more: { append?: boolean; actor?: string } = {}) =>
  bench.api.putData({ model: bench.model.name, table: 'sales', partition, bytes: await openAsBlob(file), ...more });
/** Ids from `from` on, so that files of one month can lie side by side. */
const part = (rows: number, from: number) =>
  bench.write(
    `select ${from} + range::bigint id, timestamp '2024-03-01' + to_hours(range) as "at", 'S1' as store, ` +
      `5.0::double amount, range % 2 = 0 returned from range(${rows})`,
  );
const putTogether = (...files: string[]) =>
  bench.perdure('data', 'put', bench.model.name, 'sales', ...files, '--partition', '2024-03', '--json');
const land = async (file: string) =>
  bench.api.landData({ model: bench.model.name, table: 'sales', partition: '2024-03', bytes: await openAsBlob(file) });
const listed = async () =>
  (await bench.api.data(bench.model.name)).tables[0]?.partitions.find(({ partition }) => partition === '2024-03');
const notRead = async () => (await bench.api.data(bench.model.name)).notRead.first;
async function rows(): Promise<number | undefined> {
  const result = await bench.snapshot();
  if (result.outcome !== 'taken') throw new Error(result.reason);
  const { train, holdout } = await snapshotByDigest(bench.db, result.snapshotSha256);
  return [...train, ...holdout].find(({ partition }) => partition === '2024-03')?.rows;
}

describe('files that are put together', () => {
  test('count in one moment: a snapshot sees all of the old ones or all of the new ones', async () => {
    const two = [await part(20, 0), await part(21, 1000)];
    const three = [await part(10, 0), await part(11, 1000), await part(12, 2000)];
    let done = false;
    const putting = (async () => {
      for (let round = 0; !done; round += 1)
        expect(await putTogether(...(round % 2 ? two : three))).toMatchObject({ code: 0 });
    })();
    try {
      for (let round = 0; round < 4; round += 1) expect([50, 41, 33]).toContain(await rows());
    } finally {
      done = true;
      await putting;
    }
    const { stdout } = await putTogether(...three);
    expect(JSON.parse(stdout)).toMatchObject({ files: [{}, {}, {}], generation: expect.any(Number) as number });
    expect(await rows()).toBe(33);
  });

  test('change nothing when their put dies before the manifest is switched; the next put does not take them along', async () => {
    await land(await part(20, 0));
    await land(await part(21, 1000));
    expect(await rows()).toBe(50);
    expect(await notRead()).toEqual([]);
    await put('2024-03', await part(5, 5000), { append: true });
    expect(await rows()).toBe(55);
  });

  test('are refused where one of them is gone before they count, and what counted before stays', async () => {
    const { key, sha256, bytes, generation } = await land(await part(20, 0));
    await bench.store.delete(key);
    const files = [{ sha256, bytes }];
    const asked = { partition: '2024-03', files, generation, actor: 'ada@example.org' };
    await expect(bench.api.switchData(bench.model.name, 'sales', asked)).rejects.toMatchObject({
      code: 'state/conflict',
    });
    expect(await rows()).toBe(50);
  });
});

describe('two puts at once', () => {
  test('end with one of the two whole, and the other is told to whom it lost', async () => {
    const files = [await part(20, 0), await part(30, 0)];
    const ended = await Promise.allSettled([
      put('2024-03', files[0] ?? '', { actor: 'ada@example.org' }),
      put('2024-03', files[1] ?? '', { actor: 'bob@example.org' }),
    ]);
    const won = ended.findIndex(({ status }) => status === 'fulfilled');
    expect(await rows()).toBe([20, 30][ended.every(({ status }) => status === 'fulfilled') ? 1 : won]);
  });

  test('that began from the same state: the second to be ready loses, with the name of who was faster', async () => {
    const { sha256, bytes, generation } = await land(await part(20, 0));
    await put('2024-03', await part(30, 0), { actor: 'bob@example.org' });
    const late = { partition: '2024-03', files: [{ sha256, bytes }], generation, actor: 'ada@example.org' };
    await expect(bench.api.switchData(bench.model.name, 'sales', late)).rejects.toMatchObject({
      code: 'state/conflict',
      message: expect.stringMatching(/Conflict: .* bob@example\.org put [0-9a-f]{64}\.parquet/) as string,
    });
    expect(await rows()).toBe(30);
  });

  test('of the same bytes, or that append, both succeed', async () => {
    const same = await part(20, 0);
    const both = await Promise.all([put('2024-03', same), put('2024-03', same)]);
    expect(new Set(both.map(({ generation }) => generation)).size).toBe(1);
    await Promise.all([
      put('2024-03', await part(3, 1000), { append: true }),
      put('2024-03', await part(4, 2000), { append: true }),
    ]);
    expect(await rows()).toBe(27);
  });
});

describe('a place that a manifest rules', () => {
  test('does not count what somebody drops beside it, and says so to the run and to `data ls`', async () => {
    await bench.store.put(`${place()}by-hand.parquet`, { file: await part(7, 1000) });
    const result = await bench.snapshot();
    expect(result).toMatchObject({
      outcome: 'taken',
      summary: expect.stringMatching(/by-hand\.parquet.*is not in the manifest/) as string,
    });
    expect(await rows()).toBe(50);
    expect(await notRead()).toEqual([
      { key: `${place()}by-hand.parquet`, problem: expect.stringContaining('unknown put') as string },
    ]);
    const finding = expect.stringMatching(/^1 file\(s\) are not read\. Not read: .*by-hand\.parquet/) as string;
    expect(await lakeFindings(bench.db, bench.store)).toMatchObject({ outcome: 'note', finding });
    const { replaced } = await put('2024-03', await part(20, 0));
    expect(replaced).toContain(`${place()}by-hand.parquet`);
    expect(await notRead()).toEqual([]);
    expect(await rows()).toBe(20);
    await bench.store.put(`${place()}by-hand.parquet`, { file: await part(8, 1000) });
    expect(await notRead()).toHaveLength(1);
    await bench.store.delete(`${place()}by-hand.parquet`);
  });

  test('whose file is removed or overwritten in the bucket is read by nobody, and by no silent rest of it', async () => {
    const [kept, lost] = [await part(20, 0), await part(21, 1000)];
    const { files } = JSON.parse((await putTogether(kept, lost)).stdout) as { files: { key: string }[] };
    const key = files[1]?.key ?? '';
    await bench.store.delete(key);
    const missing = {
      outcome: 'data-missing',
      reason: expect.stringMatching(/sales of 2024-03 .* was removed from the bucket since/) as string,
    };
    expect(await bench.snapshot()).toMatchObject(missing);
    expect(await lakeFindings(bench.db, bench.store)).toMatchObject({ outcome: 'problem' });
    await bench.store.put(key, { file: await part(99, 1000) });
    expect(await bench.snapshot()).toMatchObject({
      reason: expect.stringContaining('was overwritten in the bucket since') as string,
    });
    await expect(put('2024-03', await part(3, 5000), { append: true })).rejects.toMatchObject({
      code: 'state/conflict',
    });
    expect(await putTogether(kept, lost)).toMatchObject({ code: 0 });
    expect(await rows()).toBe(41);
  });

  test('is ruled by its files again after `data rm`, and what was removed does not come back', async () => {
    await bench.api.removeData({
      model: bench.model.name,
      table: 'sales',
      partition: '2024-03',
      actor: 'ada@example.org',
      reason: 'wrong',
    });
    expect(await listed()).toBeUndefined();
    await bench.store.put(`${place()}by-hand.parquet`, { file: await part(9, 0) });
    expect(await listed()).toMatchObject({ files: 1, ruledBy: 'files' });
    expect(await rows()).toBe(9);
    await put('2024-03', await part(4, 1000), { append: true });
    expect(await listed()).toMatchObject({ files: 2, ruledBy: 'manifest' });
    expect(await rows()).toBe(13);
  });
});

describe('what no longer counts', () => {
  const removeSupersededFiles = (keptMs: number) =>
    new MockActivityEnvironment().run(createLakeRetentionActivities(bench).removeSupersededFiles, { keptMs });
  const keys = async () => (await bench.store.list(place())).map(({ key }) => key);
  const endRuns = () => bench.db.sql`update runs set finished_at = now(), outcome = 'failed' where finished_at is null`;

  test('is removed when it is old enough and no run that began before can read it', async () => {
    await endRuns();
    const { key: old } = await put('2024-03', await part(20, 0));
    expect(await rows()).toBe(20);
    const { key } = await put('2024-03', await part(30, 0));
    await removeSupersededFiles(3_600_000);
    expect(await keys()).toContain(old);
    await removeSupersededFiles(-1000);
    expect(await keys()).toContain(old);
    await endRuns();
    await removeSupersededFiles(-1000);
    expect(await keys()).toEqual([key]);
    expect(await rows()).toBe(30);
  });

  test('stays when it was put again since: by a put, or straight into the bucket', async () => {
    await endRuns();
    const [first, second] = [await part(20, 0), await part(30, 0)];
    await put('2024-03', first);
    await put('2024-03', second);
    const { key } = await put('2024-03', first);
    await removeSupersededFiles(-1000);
    expect(await keys()).toEqual([key]);
    expect(await rows()).toBe(20);
  });
});
