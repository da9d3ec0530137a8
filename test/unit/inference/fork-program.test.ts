import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a program that cannot be started for want of file descriptors has ended at once, so that whoever needs it starts it again', () => {
  const script = fileURLToPath(new URL('./fork-without-descriptors.ts', import.meta.url));
  const said = execFileSync('sh', ['-c', 'ulimit -n 100; exec "$0" --import tsx "$1"', process.execPath, script], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(said).toBe('ended, then booted\n');
}, 60_000);
