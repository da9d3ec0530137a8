import { existsSync } from 'node:fs';
import { readFile, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { builtGateway } from '../../../infra/embedded/processes/built-gateway.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');

test('the same sources are built once, also by two at once, and the build says when it was last used', async () => {
  const [first, second] = await Promise.all([builtGateway(projectRoot), builtGateway(projectRoot)]);
  expect(second).toBe(first);
  for (const name of [
    'main.js',
    'inference-process.js',
    'passport-process.js',
    'shipper-process.js',
    'generated/descriptors.binpb',
  ])
    expect(existsSync(path.join(path.dirname(first), name)), name).toBe(true);
  await utimes(path.dirname(first), 0, 0);
  expect(await builtGateway(projectRoot)).toBe(first);
  expect((await stat(path.dirname(first))).mtimeMs).toBeGreaterThan(0);
});

test('a file of a build that was damaged is written again', async () => {
  const program = await builtGateway(projectRoot);
  const file = path.join(path.dirname(program), 'generated', 'descriptors.binpb');
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, 100));
  expect(await builtGateway(projectRoot)).toBe(program);
  expect((await readFile(file)).equals(whole)).toBe(true);
});

test('sources that are not there are refused', async () => {
  await expect(builtGateway(path.join(projectRoot, 'docs'))).rejects.toMatchObject({
    code: 'environment/broken',
    message: expect.stringContaining('serving/main.ts') as string,
  });
});
