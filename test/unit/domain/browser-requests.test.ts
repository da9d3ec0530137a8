import { expect, test } from 'vitest';
import { createOriginCheck, knownNames, type RequestOrigin } from '../../../domain/browser-requests.js';

const check = createOriginCheck(knownNames('10.0.0.5', 'perdure.internal, gateway.internal:7410 ,fd00::5'));
const asked = (more: Partial<RequestOrigin>) =>
  check({ method: 'POST', host: 'localhost:7400', origin: undefined, fetchSite: undefined, ...more })?.code;

test.each([
  'localhost',
  'LOCALHOST:7400',
  'localhost.:7400',
  'api.localhost:1',
  '127.0.0.1:7400',
  '127.1.2.3',
  '[::1]:7400',
  '10.0.0.5:7400',
  'perdure.internal',
  'Perdure.Internal:9',
  'gateway.internal:7410',
  '[fd00::5]:7400',
])('who calls the server by its own name %s is answered', (host) => {
  expect(asked({ host })).toBeUndefined();
});

test.each([
  undefined,
  '',
  'evil.example',
  'localhost.evil.example:7400',
  '127.0.0.1.nip.io:7400',
  'evil.example:7400',
  'gateway.internal:7411',
  'notlocalhost',
  '128.0.0.1',
  'localhost@evil.example',
  'localhost:7400:evil',
  '[::2]:7400',
])('whoever made the name %s point here is not', (host) => {
  expect(asked({ host })).toBe('host/unknown');
  expect(asked({ host, method: 'GET' })).toBe('host/unknown');
});

test('a page of another site changes nothing, whatever its browser says of it; programs, and pages of this server, do', () => {
  for (const origin of [
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'https://localhost.evil.example',
    'about:blank',
    '',
  ])
    expect(asked({ origin })).toBe('access/denied');
  for (const fetchSite of ['cross-site', 'same-site']) expect(asked({ fetchSite })).toBe('access/denied');
  expect(asked({ origin: 'http://localhost:7400', fetchSite: 'same-origin' })).toBeUndefined();
  expect(asked({ fetchSite: 'none' })).toBeUndefined();
  for (const method of ['PUT', 'DELETE', 'PATCH'])
    expect(asked({ method, origin: 'http://evil.example' })).toBe('access/denied');
  expect(asked({ method: 'GET', origin: 'http://evil.example' })).toBeUndefined();
});
