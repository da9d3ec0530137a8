import { openAsBlob } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openLakeBench, type LakeBench } from './lake-bench.js';

let bench: LakeBench;
beforeAll(async () => {
  bench = await openLakeBench();
  await putStores(1);
  for (const [month, rows] of Object.entries({ '2024-02': 60, '2024-03': 50, '2024-04': 55 }))
    await put(month, await bench.month(month, rows));
  expect(await bench.run()).toMatchObject({ outcome: 'taken' });
});
afterAll(() => bench.close());

const put = async (partition: string, file: string) =>
  bench.api.putData({
    model: bench.model.name,
    table: 'sales',
    partition,
    bytes: await openAsBlob(file),
    actor: 'ada@example.org',
  });
const putStores = async (size: number) => {
  const file = await bench.write(
    `select * from (values ('S0', ${size}.0), ('S1', 2.0), ('S2', 3.0)) v(store, size) order by size desc`,
  );
  return bench.api.putData({ model: bench.model.name, table: 'stores', bytes: await openAsBlob(file) });
};
const remove = (partition: string) =>
  bench.api.removeData({
    model: bench.model.name,
    table: 'sales',
    partition,
    actor: 'ada@example.org',
    reason: 'a slip',
  });
const nothingNew = { outcome: 'no-new-data' };
const taken = (why: RegExp) => ({ outcome: 'taken', summary: expect.stringMatching(why) as string });
const contentOf = async (month: string) =>
  (await bench.api.data(bench.model.name)).trained?.partitions.find(({ partition }) => partition === month)?.content;

describe('a month that is corrected after it was trained on', () => {
  test('is a reason to train, once, and the run says what was corrected, when, by whom, and what was used before', async () => {
    expect(await bench.run()).toMatchObject(nothingNew);
    const { runId } = await bench.run('failed');
    expect(runId).toBeDefined();
    await put('2024-03', await bench.month('2024-03', 48));
    expect(await contentOf('2024-03')).toBe('corrected');
    const why =
      /2024-03 was corrected on \d{4}-\d\d-\d\d \d\d:\d\d UTC by ada@example\.org \(sales\): the last run, \S+, used [0-9a-f]{12}; it is now [0-9a-f]{12}/;
    expect(await bench.run('failed')).toMatchObject(taken(why));
    expect(await bench.run()).toMatchObject(taken(why));
    expect(await bench.run()).toMatchObject(nothingNew);
    expect(await contentOf('2024-03')).toBe('same');
  });

  test('straight in the bucket counts as well, and so does a table without months', async () => {
    await remove('2024-02');
    await bench.store.put(`lake/${bench.model.name}/sales/month=2024-02/a.parquet`, {
      file: await bench.month('2024-02', 61),
    });
    expect(await contentOf('2024-02')).toBe('unread');
    expect(await bench.run()).toMatchObject(taken(/2024-02 was corrected on .* UTC \(sales\)/));
    await putStores(7);
    expect(await bench.run()).toMatchObject(taken(/2024-02 was corrected on .*\(stores\).*2024-03 was corrected/));
    expect(await bench.run()).toMatchObject(nothingNew);
  });

  test('in its file and not in its rows is none', async () => {
    const columns =
      `range::bigint id, timestamp '2024-03-01' + to_hours(range) as "at", 'S' || (range % 3) ` +
      'as store, 5::double amount, range % 2 = 0 returned';
    await put('2024-03', await bench.write(`select ${columns}, 'nobody reads it' as remark from range(48)`));
    expect(await bench.run()).toMatchObject({
      outcome: 'no-new-data',
      reason: expect.stringMatching(/the rows are the same as in run \S+: 2024-03 was corrected/) as string,
    });
    await put('2024-03', await bench.month('2024-03', 49));
    expect(await bench.run()).toMatchObject(taken(/2024-03 was corrected/));
  });
});

describe('a month that was put by mistake', () => {
  test('and trained on, is taken away with `data rm` without a trick: no run for that, and the right one is new data when it comes', async () => {
    const wrong = await bench.month('2024-05', 52);
    await put('2024-05', wrong);
    expect(await bench.run()).toMatchObject(taken(/2024-05 arrived/));
    await remove('2024-05');
    expect(await contentOf('2024-05')).toBe('removed');
    expect(await bench.run()).toMatchObject({
      outcome: 'no-new-data',
      reason: expect.stringMatching(
        /the newest usable partition is 2024-04, the watermark is 2024-05\. Removed partitions are/,
      ) as string,
    });
    await put('2024-05', await bench.month('2024-05', 51));
    expect(await bench.run()).toMatchObject(taken(/2024-05 was corrected/));
    expect(await bench.run()).toMatchObject(nothingNew);
  });

  test('and taken away again leaves an earlier correction a reason to train', async () => {
    await remove('2024-05');
    await put('2024-03', await bench.month('2024-03', 47));
    expect(await bench.run()).toMatchObject(
      taken(/trains on 2024-02 … 2024-03 .*tests on 2024-04 .*2024-03 was corrected/),
    );
    expect(await bench.run()).toMatchObject(nothingNew);
    await put('2024-05', await bench.month('2024-05', 50));
    expect(await bench.run()).toMatchObject(taken(/2024-05 arrived/));
  });
});
