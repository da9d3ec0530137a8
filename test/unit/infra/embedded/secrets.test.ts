import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadSecrets } from '../../../../infra/embedded/secrets.js';

let home: string;
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'perdure-secrets-'));
});
afterEach(() => rmSync(home, { recursive: true }));

test('secrets of a stack from before there were as many get those that they lack once, and lose nothing', () => {
  const file = path.join(home, 'secrets.json');
  const old = { postgresPassword: 'p'.repeat(20), s3AccessKeyId: 'a'.repeat(20), s3SecretAccessKey: 's'.repeat(40) };
  writeFileSync(file, JSON.stringify(old));
  const upgraded = loadSecrets(home);
  expect(upgraded).toMatchObject(old);
  expect(upgraded.keyHashSecret.length).toBeGreaterThanOrEqual(16);
  expect(upgraded.postgresApplicationPassword.length).toBeGreaterThanOrEqual(16);
  expect(loadSecrets(home)).toEqual(upgraded);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(upgraded);
  expect(statSync(file).mode & 0o077).toBe(0);
});

test.each(['', '{}', '{"postgresPassword": 7}', 'null', '[]'])('%j is refused, not replaced', (content) => {
  writeFileSync(path.join(home, 'secrets.json'), content);
  expect(() => loadSecrets(home)).toThrow('does not contain');
  expect(readFileSync(path.join(home, 'secrets.json'), 'utf8')).toBe(content);
});
