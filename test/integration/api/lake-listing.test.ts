import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lakeListing } from '../../../api/data/lake-listing.js';
import { newestLanded } from '../../../db/data/lake-partitions.js';
import { definitionInForce } from '../../../db/model/definition-queries.js';
import { partitionRange } from '../../../domain/partition.js';
import { openLakeBench, type LakeBench } from './lake-bench.js';

let bench: LakeBench;
/** More objects than one request lists: thirty-four years of three files each. */
const months = partitionRange('1990-01', '2023-12');
beforeAll(async () => {
  bench = await openLakeBench();
  const keys = months.flatMap((month) => [1, 2, 3].map((part) => `sales/month=${month}/part-${part}.parquet`));
  for (let from = 0; from < keys.length; from += 64)
    await Promise.all(
      keys.slice(from, from + 64).map((key) => bench.store.put(`lake/${bench.model.name}/${key}`, 'x')),
    );
});
afterAll(() => bench.close());

/** The store, and how many requests were sent to it. */
function counted() {
  const calls = { count: 0 };
  const { list, folders } = bench.store;
  const store = {
    ...bench.store,
    list: (...asked: Parameters<typeof list>) => ((calls.count += 1), list(...asked)),
    folders: (prefix: string) => ((calls.count += 1), folders(prefix)),
  };
  return { calls, store };
}

describe('a lake of many years', () => {
  test('is listed a page at a time, the newest months first, by as many requests as the page has months', async () => {
    const { calls, store } = counted();
    const inForce = await definitionInForce(bench.db, bench.model.name);
    const first = await lakeListing({ db: bench.db, objects: store }, inForce, { limit: 3 });
    expect(first.tables[0]).toMatchObject({
      files: 9,
      partitions: [{ partition: '2023-10' }, {}, { partition: '2023-12' }],
    });
    expect(first.next).toBe('2023-10');
    expect(calls.count).toBeLessThan(10);
    const last = await lakeListing({ db: bench.db, objects: store }, inForce, { limit: 12, before: '1990-04' });
    expect(last.tables[0]?.partitions.map(({ partition }) => partition)).toEqual(['1990-01', '1990-02', '1990-03']);
    expect(last.next).toBeNull();
  });

  test('tells its newest month without being listed', async () => {
    const { calls, store } = counted();
    expect(await newestLanded(bench.db, store, bench.model, 'sales')).toBe('2023-12');
    expect(await newestLanded(bench.db, store, bench.model, 'sales', (month) => month < '2001')).toBe('2000-12');
    expect(calls.count).toBe(4);
  });

  test('is paged on the command line, one place an object', async () => {
    const { stdout } = await bench.perdure('data', 'ls', bench.model.name, '--limit', '2', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      items: [
        { table: 'sales', partition: '2023-12', files: 3, ruledBy: 'files' },
        { table: 'sales', partition: '2023-11' },
      ],
      next: '2023-11',
    });
    const page = await bench.perdure('data', 'ls', bench.model.name, '--before', '2023-11', '--limit', '1');
    expect(page.stdout).toMatch(/2023-10[^]*Earlier partitions: perdure data ls \S+ --before 2023-10/);
  });
});
