import { randomUUID } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removableUncounted } from '../../../db/data/lake-manifests.js';
import { lakeContent } from '../../../db/data/lake-content.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import { lakeFindings } from '../../../infra/embedded/doctor/doctor-lake.js';
import { openLakeBench, type LakeBench } from '../api/lake-bench.js';

/** Names that no other test has: the shared tables of one stack are everybody's. */
const [stores, rain] = ['stores', 'rain'].map((name) => `${name}_${randomUUID().slice(0, 6)}`) as [string, string];

let bench: LakeBench;
beforeAll(async () => {
  bench = await openLakeBench((definition) => sharing(definition));
  await apply({ ...bench.model, name: other });
});
afterAll(async () => {
  // Other suites on this bucket would find tables that nobody shares.
  for (const { key } of await bench.store.list('lake/shared/')) await bench.store.delete(key);
  await bench.close();
});

const other = `other-${randomUUID().slice(0, 8)}`;
const apply = (definition: ModelDefinition) => applyDefinition(bench.db, parseModelDefinition(definition), 'test');

/** The same with a shared table of stores, and with one of the rain that as-of joins look back on. */
function sharing(definition: ModelDefinition): ModelDefinition {
  const { tables, ...data } = definition.data;
  const { sales, stores: own } = tables;
  if (!sales || !own) throw new Error('the model has no stores');
  return {
    ...definition,
    data: {
      ...data,
      tables: {
        sales,
        [stores]: { ...own, shared: true },
        [rain]: { partitioned: true, shared: true, columns: { store: 'string', fell_at: 'timestamp', mm: 'number' } },
      },
      joins: [
        { table: stores, on: ['store'] },
        { table: rain, on: ['store'], asOf: { time: 'fell_at', toleranceDays: 10 } },
      ],
    },
  };
}

const storesOf = (size: number) =>
  bench.write(`select * from (values ('S0', ${size}.0), ('S1', 2.0), ('S2', 3.0)) v(store, size)`);
const rainOf = (month: string, mm: number) =>
  bench.write(`select 'S' || range as store, timestamp '${month}-01' as fell_at, ${mm}::double as mm from range(3)`);
const put = async (model: string, table: string, file: string, partition?: string) =>
  bench.api.putData({ model, table, bytes: await openAsBlob(file), ...(partition && { partition }) });

test('a shared table is landed once, in the place of all, and each model that declares it reads it', async () => {
  const landed = await put('shared', stores, await storesOf(1));
  expect(landed.key).toMatch(new RegExp(`^lake/shared/${stores}/[0-9a-f]{64}\\.parquet$`));
  for (const month of ['2024-02', '2024-03']) {
    await put('shared', rain, await rainOf(month, 1), month);
    await put(bench.model.name, 'sales', await bench.month(month), month);
  }
  expect((await bench.run()).outcome).toBe('taken');
  for (const name of [bench.model.name, other]) {
    const { tables } = await bench.api.data(name);
    expect(tables.find(({ table }) => table === stores)).toMatchObject({ shared: true, files: 1 });
    expect(tables.find(({ table }) => table === rain)?.partitions.map(({ partition }) => partition)).toEqual([
      '2024-02',
      '2024-03',
    ]);
  }
  const shared = await bench.api.data('shared');
  expect(shared.tables.find(({ table }) => table === stores)).toMatchObject({
    files: 1,
    readBy: [other, bench.model.name].toSorted(),
  });
});

test('a put through one of its models is refused with the command that lands it for all', async () => {
  await expect(put(bench.model.name, stores, await storesOf(1))).rejects.toMatchObject({
    code: 'input/invalid',
    message: expect.stringContaining(`perdure data put shared ${stores} FILE`),
  });
  await expect(put('shared', 'nobody_has_it', await storesOf(1))).rejects.toMatchObject({ code: 'not-found' });
  await expect(put('shared', rain, await rainOf('2024-02', 1))).rejects.toThrow('say which month');
  await expect(put('shared', rain, await rainOf('2024-02', 1), '2024-02-01')).rejects.toThrow('are months');
  await expect(put('shared', rain, await rainOf('2024-02', 1), '2999-01')).rejects.toThrow('in the future');
});

test('a corrected shared partition is new data, for the partitions that look back on it too', async () => {
  const idle = await bench.run();
  expect(idle).toMatchObject({ outcome: 'no-new-data' });
  await put('shared', rain, await rainOf('2024-02', 7), '2024-02');
  const { trained } = await bench.api.data(bench.model.name);
  expect(trained?.partitions.map(({ partition, content }) => [partition, content])).toEqual([
    ['2024-02', 'corrected'],
    ['2024-03', 'corrected'],
  ]);
  // The rain is no feature here: the rows are the same.
  expect(await bench.run()).toMatchObject({ outcome: 'no-new-data', reason: expect.stringContaining(`(${rain})`) });
  await put('shared', stores, await storesOf(5));
  expect((await bench.run()).outcome).toBe('taken');
});

test('what a put replaces waits for the runs of every model, and is then removed', async () => {
  const replaced = async () =>
    (await removableUncounted(bench.db, { before: new Date(Date.now() + 60_000), limit: 10_000 })).filter(({ key }) =>
      key.startsWith(`lake/shared/${stores}/`),
    );
  await bench.snapshot(); // its run stays open
  await put('shared', stores, await storesOf(6));
  const now = (await put('shared', stores, await storesOf(7))).replaced;
  expect(now).toHaveLength(1);
  expect((await replaced()).map(({ key }) => key)).not.toContain(now[0]);
});

test('a file in the folder that is not its own is told by the listing and the doctor', async () => {
  const file = await storesOf(1);
  const [own, unknown] = [`lake/${bench.model.name}/${stores}/a.parquet`, `lake/shared/x_${stores}/a.parquet`];
  await bench.store.put(own, { file });
  await bench.store.put(unknown, { file });
  const { strays } = await lakeContent(bench.db, bench.store, bench.model);
  expect(strays).toContainEqual({
    key: own,
    problem: expect.stringContaining(`lie in lake/shared/${stores}/`),
  });
  const { notRead } = await bench.api.data(bench.model.name);
  expect(notRead.first.map(({ key }) => key)).toContain(own);
  const shared = await bench.api.data('shared');
  expect(shared.notRead.first.map(({ key }) => key)).toContain(`lake/shared/x_${stores}/`);
  expect(await lakeFindings(bench.db, bench.store)).toMatchObject({
    outcome: 'note',
    finding: expect.stringContaining('file(s) are not read'),
  });
});

test('models that share a table agree on its partitions, and none is called shared', async () => {
  const { data } = bench.model;
  const table = { ...data.tables[stores]!, partitioned: true };
  const changed = { ...bench.model, data: { ...data, tables: { ...data.tables, [stores]: table } } };
  await expect(bench.api.apply({ definitions: [changed], plan: true, prune: false, actor: 'test' })).rejects.toThrow(
    `shares ${stores} with ${other}, for which its files are one whole table; here they are months (UTC)`,
  );
  expect(() => parseModelDefinition({ ...bench.model, name: 'shared' })).toThrow('name: shared is the owner');
});

test('data rm takes a shared table away from all of its models', async () => {
  const { removed } = await bench.api.removeData({
    ...{ model: 'shared', table: stores, actor: 'ada', reason: 'wrong sizes' },
  });
  expect(removed).toHaveLength(1);
  const { tables } = await bench.api.data(other);
  expect(tables.find(({ table }) => table === stores)).toMatchObject({ files: 0 });
});
