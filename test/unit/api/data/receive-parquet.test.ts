import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clearUploads, receiveParquet } from '../../../../api/data/receive-parquet.js';

let folder = '';
let parquet = Buffer.alloc(0);
const limits = () => ({ folder, bytesMax: 1_000_000 });
const receive = (bytes: Buffer | Readable, more = {}) =>
  receiveParquet(
    bytes instanceof Readable ? bytes : Readable.from([bytes]),
    { ...limits(), ...more },
    async (received) => ({
      ...received,
      content: await readFile(received.file),
    }),
  );

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-upload-'));
  const file = path.join(folder, 'rows');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`copy (select range as a from range(5000)) to '${file}' (format parquet)`);
  parquet = await readFile(file);
  await rm(file);
});
afterEach(async () => {
  expect(await readdir(folder), 'an upload left a file behind').toEqual([]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('a whole Parquet file arrives with its size and SHA-256', async () => {
  const received = await receive(parquet);
  expect(received.content.equals(parquet)).toBe(true);
  expect(received.bytes).toBe(parquet.length);
  expect(received.sha256).toBe(createHash('sha256').update(parquet).digest('hex'));
});

test.each([
  ['an empty body', () => Buffer.alloc(0), /only 0 bytes/],
  ['a CSV file', () => Buffer.from('a,b\n1,2\n3,4\n5,6\n'), /does not begin/],
  ['a file that is cut off', () => parquet.subarray(0, parquet.length - 9), /truncated/],
  ['a file that is cut at its first half', () => parquet.subarray(0, parquet.length / 2), /truncated/],
  [
    'a footer longer than the file',
    () => Buffer.concat([Buffer.from('PAR1'), Buffer.from([255, 255, 0, 0]), Buffer.from('PAR1')]),
    /footer claims 65535/,
  ],
])('%s is refused', async (_, bytes, message) => {
  await expect(receive(bytes())).rejects.toThrow(message);
  await expect(receive(bytes())).rejects.toMatchObject({ code: 'data/unreadable' });
});

test('a file over the limit is refused before it is stored', async () => {
  await expect(receive(parquet, { bytesMax: 100 })).rejects.toMatchObject({ code: 'input/too-large' });
});

test('an upload that breaks off is refused', async () => {
  const broken = Readable.from(
    (async function* () {
      yield parquet.subarray(0, 100);
      throw new Error('socket hang up');
    })(),
  );
  await expect(receive(broken)).rejects.toMatchObject({ code: 'input/invalid' });
});

test('what a killed process left is cleared', async () => {
  await writeFile(path.join(folder, 'upload-1.parquet'), 'half');
  await clearUploads(folder);
});
