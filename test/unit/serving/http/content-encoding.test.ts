import { Readable } from 'node:stream';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { BodyBudget } from '../../../../serving/http/body-budget.js';
import { readBody } from '../../../../serving/http/request-body.js';

const text = Buffer.from('{"inputs":[]}');
const budget = new BodyBudget(1024);
const read = (body: Buffer, encoding?: string) =>
  readBody(Readable.from([body]), encoding, { bytesMax: 512, held: budget.open() });

test.each<[string | undefined, Buffer]>([
  [undefined, text],
  ['identity', text],
  ['', text],
  ['GZIP', gzipSync(text)],
  ['x-gzip', gzipSync(text)],
  [' gzip , identity', gzipSync(text)],
  ['Deflate', deflateSync(text)],
  ['deflate', deflateRawSync(text)],
  ['deflate, gzip', gzipSync(deflateSync(text))],
])('a body with Content-Encoding %j is read', async (encoding, body) => {
  expect(await read(body, encoding)).toEqual(text);
});

test.each(['br', 'gzip, br', 'constructor', 'gzip, gzip, gzip, gzip'])('%j is not known', async (encoding) => {
  await expect(read(text, encoding)).rejects.toMatchObject({ code: 'input/unsupported' });
});

test('what is not what it says is refused', async () => {
  await expect(read(text, 'gzip')).rejects.toMatchObject({ code: 'input/invalid' });
});
