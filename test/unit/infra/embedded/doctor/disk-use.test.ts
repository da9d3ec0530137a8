import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { diskUse } from '../../../../../infra/embedded/doctor/disk-use.js';

const home = mkdtempSync(path.join(tmpdir(), 'perdure-disk-'));
afterAll(() => rmSync(home, { recursive: true }));
const write = (file: string, kib: number) => {
  mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
  writeFileSync(path.join(home, file), Buffer.alloc(kib * 1024, 1));
};

test('each part counts all that lies in it, the largest first', async () => {
  write('deep/one/two/file', 300);
  write('deep/file', 100);
  write('flat', 200);
  const parts = await diskUse(home, Infinity);
  expect(parts.map(({ part }) => part)).toEqual(['deep', 'flat']);
  expect(parts.every(({ isWhole }) => isWhole)).toBe(true);
  expect(parts[0]?.bytes).toBeGreaterThanOrEqual(400 * 1024);
  expect(parts[1]?.bytes).toBeGreaterThanOrEqual(200 * 1024);
  expect(parts[1]?.bytes).toBeLessThan(300 * 1024);
});

test('when the time ends, files are whole and folders are said to hold more', async () => {
  const parts = await diskUse(home, 0);
  expect(parts.map(({ part, isWhole }) => [part, isWhole])).toEqual([
    ['flat', true],
    ['deep', false],
  ]);
});

test('a folder that is not there occupies nothing', async () => {
  expect(await diskUse(path.join(home, 'none'), Infinity)).toEqual([]);
});
