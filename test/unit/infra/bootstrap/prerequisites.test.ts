import { expect, it } from 'vitest';
import { checkNode, isAtLeast } from '../../../../infra/bootstrap/prerequisites.mjs';
import { indexOfPip } from '../../../../infra/bootstrap/python-tools.mjs';

it.each([
  ['20.19.0', true],
  ['20.18.9', false],
  ['20.9.0', false],
  ['22.0.0', true],
  ['18.20.0', false],
])('Node %s is new enough: %s', (version, enough) => {
  expect(isAtLeast(version, [20, 19])).toBe(enough);
  if (enough) expect(() => checkNode(version)).not.toThrow();
  else expect(() => checkNode(version)).toThrow(`needs Node 20.19 or newer; this is ${version}`);
});

it('a mirror that is set for pip serves uv as well, unless uv has its own', () => {
  const configuration = ":env:.cert='/etc/cert.pem'\nglobal.index-url='https://mirror.example/simple'\n";
  expect(indexOfPip(configuration, {})).toEqual({ UV_DEFAULT_INDEX: 'https://mirror.example/simple' });
  expect(indexOfPip(configuration, { UV_DEFAULT_INDEX: 'https://own.example/simple' })).toEqual({});
  expect(indexOfPip('', {})).toEqual({});
});
