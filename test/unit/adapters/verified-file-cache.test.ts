import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createFileCache } from '../../../adapters/verified-file-cache.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-file-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const days = (count: number) => count * 86_400_000;

it('a copy that nobody has asked for in a fortnight leaves the disk, and is fetched again by who asks', async () => {
  const fetched: string[] = [];
  const getToFile = async (key: string, file: string) => {
    fetched.push(key);
    await writeFile(file, key);
  };
  const cache = createFileCache({ getToFile } as unknown as ObjectStore, folder);
  const fetch = (key: string) => cache.fetch(key, sha256(key));
  const [kept, left] = [await fetch('a.onnx'), await fetch('b.onnx')];
  const long = new Date(Date.now() - days(15));
  for (const file of [kept, left]) await utimes(file, long, long);
  await fetch('a.onnx');
  expect(await cache.sweep()).toBe(1);
  expect((await stat(kept)).isFile()).toBe(true);
  await expect(stat(left)).rejects.toThrow('ENOENT');
  expect(await fetch('b.onnx')).toBe(left);
  expect(fetched).toEqual(['a.onnx', 'b.onnx', 'b.onnx']);
  expect(await cache.sweep(Date.now() + days(13))).toBe(0);
});
