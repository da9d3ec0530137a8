import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from './run-command-line.js';

/** Port 9 (discard) is nobody's here: connections are refused at once. */
const nobody = { PERDURE_API_PORT: '9', PERDURE_GATEWAY_PRODUCTION_PORT: '9' };

describe('usage', () => {
  test.each([['--help'], ['train', '--help'], ['versions', 'ls', '--help']])(
    '%s %s prints help on standard output and ends with 0',
    async (...argv) => {
      const { code, stdout, stderr } = await runCommandLine(argv.filter((word) => word !== undefined));
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: perdure');
      expect(stderr).toBe('');
    },
  );

  test.each([
    ['an unknown command', ['tarin', 'flight-delay']],
    ['an unknown option', ['train', 'flight-delay', '--untl', '2013-04']],
    ['a missing argument', ['train']],
    ['a missing required option', ['rollback', 'flight-delay']],
    ['a month that is none', ['train', 'flight-delay', '--until', '2013-13']],
    ['an environment that is none', ['routes', 'show', 'flight-delay', '--env', 'moon']],
    ['a version that is none', ['promote', 'flight-delay', '--to', 'production']],
    ['a variable that is not usable', ['runs', 'ls'], { PERDURE_API_PORT: 'many' }],
  ] as [string, string[], NodeJS.ProcessEnv?][])(
    '%s ends with 2 and says so on standard error only',
    async (_, argv, env = {}) => {
      const { code, stdout, stderr } = await runCommandLine(argv, env);
      expect(code).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^error: /);
    },
  );
});

test('a usage error with --json is a JSON document too', async () => {
  const { code, stdout } = await runCommandLine(['train', '--json']);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: 'input/invalid', message: expect.stringContaining('model') },
  });
});

describe('a server that is away', () => {
  test('ends with 7 and names the address and the remedy', async () => {
    const { code, stderr } = await runCommandLine(['runs', 'ls'], nobody);
    expect(code).toBe(7);
    expect(stderr).toContain('http://127.0.0.1:9');
    expect(stderr).toContain('npx perdure up');
  });

  test('with --json standard output is one JSON document that holds the code', async () => {
    const { code, stdout } = await runCommandLine(['runs', 'ls', '--json'], nobody);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'server/unreachable' } });
  });
});

describe('answers of the API', () => {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url?.startsWith('/api/v1/runs?'))
      return response.end(JSON.stringify({ items: [], next: null, runs: [] }));
    response.statusCode = 404;
    response.end(JSON.stringify({ error: { code: 'not-found', message: 'No run has the id nope.', details: {} } }));
  });
  const env: NodeJS.ProcessEnv = {};
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    env.PERDURE_API_PORT = String((server.address() as AddressInfo).port);
  });
  afterAll(() => void server.close());

  test('an empty list says what to do next', async () => {
    const { code, stdout } = await runCommandLine(['runs', 'ls', 'flight-delay'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('perdure train flight-delay --wait');
  });

  test('an empty list is one without items and with no next page', async () => {
    expect(JSON.parse((await runCommandLine(['runs', 'ls', '--json'], env)).stdout)).toEqual({ items: [], next: null });
  });

  test('what is not found ends with 6 and the words of the API', async () => {
    const { code, stderr } = await runCommandLine(['runs', 'show', 'nope'], env);
    expect(code).toBe(6);
    expect(stderr).toContain('No run has the id nope.');
  });
});
