import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lakeListingSchema } from '../../../client/http/data.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
const model = ownDefinition({ triggers: { schedules: [] } });
const file = (name: string) => path.join(running.uploadFolder, '..', `${path.basename(running.uploadFolder)}-${name}`);

beforeAll(async () => {
  running = await startApi({ uploadBytesMax: 100_000 });
  await applyDefinition(running.db, model, 'test');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const [name, rows] of [
    ['one', 100],
    ['two', 200],
    ['large', 200_000],
  ] as const) {
    await connection.run(`copy (select hash(range) as a from range(${rows})) to '${file(name)}' (format parquet)`);
  }
  await writeFile(file('cut'), (await (await import('node:fs/promises')).readFile(file('two'))).subarray(0, -20));
});
afterAll(() => running.close());

const put = (name: string, ...more: string[]) =>
  running.perdure('data', 'put', model.name, 'flights', file(name), '--partition', '2013-01', ...more);
const landed = async () =>
  (await running.store.list(`lake/${model.name}/`)).map((object) =>
    object.key.replace(`lake/${model.name}/`, '').replace(/[0-9a-f]{64}/, 'SHA'),
  );

/** How many files of the partition count. */
const counting = async () => {
  const { stdout } = await running.perdure('data', 'ls', model.name, '--json');
  const { tables } = lakeListingSchema.parse(JSON.parse(stdout));
  return tables.find(({ table }) => table === 'flights')?.partitions.map(({ files }) => files);
};

test('a file lands at its partition under its SHA-256, and the same bytes again are one object', async () => {
  expect((await put('one')).code).toBe(0);
  const again = await put('one', '--json');
  expect(JSON.parse(again.stdout)).toMatchObject({ alreadyThere: true, replaced: [] });
  expect(await landed()).toEqual(['flights/month=2013-01/SHA.parquet']);
});

test('a new file of the partition takes the place of the earlier one', async () => {
  const result = JSON.parse((await put('two', '--json')).stdout);
  expect(result.replaced).toHaveLength(1);
  expect(await counting()).toEqual([1]);
});

test('with --append both stay', async () => {
  await put('one', '--append');
  expect(await counting()).toEqual([2]);
});

test('files sent for one partition at once leave exactly one of them; who lost is told', async () => {
  const results = await Promise.all([put('one'), put('two'), put('one'), put('two')]);
  expect(results.some(({ code }) => code === 0)).toBe(true);
  for (const { code, stderr } of results) if (code !== 0) expect(stderr).toContain('Conflict');
  expect(await counting()).toEqual([1]);
});

test('what is refused changes nothing and leaves no file behind', async () => {
  const before = await landed();
  expect(await put('cut')).toMatchObject({ code: 3, stderr: expect.stringContaining('truncated') });
  expect(await put('large')).toMatchObject({ code: 2, stderr: expect.stringContaining('larger than') });
  expect(await running.perdure('data', 'put', model.name, 'flights', file('one'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('partition'),
  });
  expect(
    await running.perdure('data', 'put', model.name, 'planes', file('one'), '--partition', '2013-01'),
  ).toMatchObject({ code: 2 });
  expect(await running.perdure('data', 'put', model.name, 'airports', file('one'))).toMatchObject({
    code: 6,
    stderr: expect.stringContaining('flights'),
  });
  expect(
    await running.perdure('data', 'put', 'nobody', 'flights', file('one'), '--partition', '2013-01'),
  ).toMatchObject({ code: 6 });
  expect(await landed()).toEqual(before);
  expect(await readdir(running.uploadFolder)).toEqual([]);
});

test('a table without partitions is one place; data ls shows what landed', async () => {
  await running.perdure('data', 'put', model.name, 'planes', file('one'));
  const { stdout } = await running.perdure('data', 'ls', model.name);
  expect(stdout).toMatch(/planes\s+whole table\s+1/);
  expect(stdout).toMatch(/flights\s+2013-01\s+1/);
  expect(stdout).toContain(`perdure train ${model.name}`);
});
