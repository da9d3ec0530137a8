import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readShapedRows } from '../../../adapters/data-engine/snapshot/read-shaped-rows.js';
import { firstId, shapeTyped, typedContract, typedRows } from './typed-rows.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-features-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const contract = typedContract();

test('features of every type are shaped exactly, into the same bytes in whatever order they came', async () => {
  const shaped = await shapeTyped(folder, contract);
  expect(shaped.report.issues).toEqual([]);
  const turned = await shapeTyped(folder, contract, `SELECT * FROM (${typedRows}) ORDER BY hash(id)`);
  expect(turned.file?.sha256).toBe(shaped.file?.sha256);
  const rows = await readShapedRows({ file: shaped.file?.path ?? '', contract });
  const ids = rows.map(({ features }) => BigInt(String(features['id'])));
  expect(new Set(ids).size).toBe(rows.length);
  expect(ids.every((id) => id >= firstId && id < firstId + 3000n)).toBe(true);
  expect(rows.find(({ features }) => Array.isArray(features['tags']))?.features).toMatchObject({
    seen: expect.stringMatching(/^2024-02-01T00:\d\d:\d\dZ$/) as string,
    tags: expect.any(Array) as string[],
  });
  expect(Object.fromEntries((shaped.profile ?? []).map(({ name, type }) => [name, type]))).toEqual({
    ...{ id: 'integer', member: 'boolean', seen: 'timestamp', place: 'vector', visits: 'integer' },
    ...{ city: 'string', note: 'text', tags: 'string[]' },
  });
});

test.each([
  ['a vector of another length', 'place', '[1.0, 2.0]', /place are not vectors of 3 numbers/],
  ['NaN in a vector', 'place', `[1.0, 'NaN'::DOUBLE, 2.0]`, /place have a missing place/],
  ['infinity in a vector', 'place', `[1.0, 'Infinity'::DOUBLE, 2.0]`, /infinite/],
  ['an integer out of range', 'visits', '-1', /visits are outside the range 0/],
  ['a text that is too long', 'note', `repeat('x', 21)`, /note are longer than 20 characters/],
  ['a list that is too long', 'tags', `['a', 'b', 'c', 'd']`, /lists of tags are longer than 3 values/],
  ['a hole in a list', 'tags', `['a', NULL]`, /tags have a missing place/],
])('%s is an issue that names the column, and the partition is invalid', async (_name, column, value, message) => {
  const sql = `SELECT * REPLACE (CASE WHEN id = ${firstId + 7n} THEN ${value} ELSE ${column} END AS ${column})
    FROM (${typedRows})`;
  const { report } = await shapeTyped(folder, contract, sql);
  expect(report.issues.map(({ message: text }) => text).join('\n')).toMatch(message);
  expect(report.outcome).toBe('invalid');
});
