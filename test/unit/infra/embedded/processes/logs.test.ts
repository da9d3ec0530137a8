import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logPath, openLog, rotateLogs } from '../../../../../infra/embedded/processes/logs.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-logs-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

it('a component that never restarts keeps two files of 10 MiB or so, and its newest lines', () => {
  const log = openLog(home, 'api') as number;
  const line = `${'x'.repeat(1_048_575)}\n`;
  for (let lines = 0; lines < 35; lines += 1) {
    writeSync(log, line);
    rotateLogs(home);
  }
  writeSync(log, 'the newest\n');
  closeSync(log);
  const files = [logPath(home, 'api'), path.join(home, 'logs', 'api.1.log')];
  for (const file of files) expect(statSync(file).size).toBeLessThan(12 * 1_048_576);
  expect(readFileSync(files[0] as string, 'utf8').endsWith('x\nthe newest\n')).toBe(true);
  expect(readFileSync(files[0] as string, 'utf8')).not.toContain('\0');
  expect(statSync(files[1] as string).size).toBeGreaterThan(10 * 1_048_576);
});

it('what is small, and what is not there, stays as it is', () => {
  rotateLogs(home);
  const log = openLog(home, 'api') as number;
  writeSync(log, 'a line\n');
  closeSync(log);
  rotateLogs(home);
  expect(readFileSync(logPath(home, 'api'), 'utf8')).toBe('a line\n');
});
