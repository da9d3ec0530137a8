import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';

test('a command whose reader has gone, as `head` does, ends without a complaint', async () => {
  const child = spawn(process.execPath, ['cli/perdure.mjs', '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const ended = once(child, 'close');
  expect(await text(child.stderr)).toBe('');
  expect((await ended)[0]).toBe(0);
}, 60_000);
