import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainerEnvironment } from '../../../adapters/trainer/trainer-environment.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
/** One small library, with the hashes under which the product itself has it. */
const [threadpoolctl = ''] =
  /^threadpoolctl==.*(?:\n .*)*/m.exec(
    readFileSync(path.join(projectRoot, 'trainers/tabular/requirements.txt'), 'utf8'),
  ) ?? [];
let home: string;
beforeAll(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-environments-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function environmentOf(lock: string, sha256: string) {
  const lockFile = path.join(home, `${sha256.slice(0, 8)}.txt`);
  writeFileSync(lockFile, lock);
  const said: string[] = [];
  const report = (line: string) => void said.push(line);
  const { signal } = new AbortController();
  return { said, made: trainerEnvironment({ home, projectRoot, lockFile, sha256, signal, report }) };
}

const kept = () => readdirSync(path.join(home, 'trainer-environments'));

it(
  'is made once of its lock, also by runs that come together, and works where it lies',
  { timeout: 120_000 },
  async () => {
    const both = [environmentOf(threadpoolctl, 'a'.repeat(64)), environmentOf(threadpoolctl, 'a'.repeat(64))];
    const [python = '', same] = await Promise.all(both.map(({ made }) => made));
    expect(same).toBe(python);
    expect(
      execFileSync(python, ['-c', 'import threadpoolctl; print(threadpoolctl.__version__)'], { encoding: 'utf8' }),
    ).toMatch(/^\d/);
    const again = environmentOf(threadpoolctl, 'a'.repeat(64));
    expect(await again.made).toBe(python);
    expect(again.said).toEqual([]);
    expect(kept()).toHaveLength(1);
  },
);

it('is not made of a library with another hash, or of one that is not locked; nothing stays', async () => {
  const before = kept();
  const forged = threadpoolctl.replaceAll(/sha256:[0-9a-f]{8}/g, 'sha256:00000000');
  for (const lock of [forged, 'threadpoolctl\n'])
    await expect(environmentOf(lock, 'b'.repeat(64)).made).rejects.toMatchObject({
      code: 'environment/broken',
      message: expect.stringMatching(/requirements\.txt must name every library with version and hashes/),
    });
  expect(kept()).toEqual(before);
});

it('goes when five others were used since and a day has passed; one that may be in use stays', async () => {
  const root = path.join(home, 'trainer-environments');
  const aged = (name: string, hours: number) => {
    mkdirSync(path.join(root, name));
    const at = new Date(Date.now() - hours * 3_600_000);
    utimesSync(path.join(root, name), at, at);
  };
  for (let hours = 1; hours <= 5; hours += 1) aged(`used-${hours}`, hours);
  aged('old', 26);
  aged('building-killed', 30);
  await environmentOf(threadpoolctl, 'a'.repeat(64)).made;
  expect(kept().filter((name) => !name.startsWith('used-'))).toHaveLength(1);
  expect(kept()).toEqual(expect.arrayContaining(['used-1', 'used-2', 'used-3', 'used-4', 'used-5']));
});
