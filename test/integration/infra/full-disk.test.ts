import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { surviveShortages } from '../../../infra/embedded/supervision/supervisor-log.js';

const drill = fileURLToPath(new URL('./full-disk-drill.ts', import.meta.url));

/** A file system in memory that only the command sees, with or without root. */
async function onSmallDisk(home: string, megabytes: number, command: readonly string[]): Promise<string> {
  const mount = `mount -t tmpfs -o size=${megabytes}m perdure-test "$0" && exec "$@"`;
  const { stdout } = await promisify(execFile)('unshare', [
    '--user',
    '--map-root-user',
    '--mount',
    'sh',
    '-c',
    mount,
    home,
    ...command,
  ]);
  return stdout;
}

it.runIf(process.platform === 'linux')(
  'on a full disk the supervisor lives, says why a component cannot start, keeps its files whole, and all is ' +
    'back by itself when there is space',
  async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'perdure-full-'));
    try {
      const output = await onSmallDisk(home, 80, [process.execPath, '--import', 'tsx', drill, home]);
      const seen: unknown = JSON.parse(output.trim().split('\n').at(-1) ?? '');
      expect(seen).toEqual({
        reason: expect.stringMatching(/The disk of .+ is full \(\d+ MiB free\): free some/) as string,
        ...{ isWhole: true, isNew: true, dropped: expect.any(Number) as number },
      });
      expect((seen as { dropped: number }).dropped).toBeGreaterThan(0);
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
);

it('output that nobody takes any more is no end of a supervisor', () => {
  const before = process.listenerCount('uncaughtException');
  surviveShortages();
  expect(() =>
    process.emit('uncaughtException', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
  ).not.toThrow();
  for (const listener of process.listeners('uncaughtException').slice(before))
    process.off('uncaughtException', listener);
});
