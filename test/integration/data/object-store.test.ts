import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectStore, type ObjectStore } from '../../../adapters/object-store/object-store.js';
import { openTestBucket, testBucketOptions } from './test-bucket.js';

let store: ObjectStore;
let folder: string;
beforeAll(async () => {
  store = await openTestBucket();
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-objects-'));
});
afterAll(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

const sha256Of = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

describe('objects', () => {
  it('come back as they were put, from bytes, from text and from a file', async () => {
    const large = randomBytes(9_000_000);
    const file = path.join(folder, 'large.bin');
    await writeFile(file, large);
    await expect(store.put('a/bytes', large.subarray(0, 10))).resolves.toEqual({
      sha256: sha256Of(large.subarray(0, 10)),
      bytes: 10,
    });
    await store.put('a/text', 'Grüße', { contentType: 'text/plain' });
    await expect(store.put('a/file', { file })).resolves.toEqual({ sha256: sha256Of(large), bytes: large.length });
    expect(Buffer.from(await store.get('a/text')).toString()).toBe('Grüße');
    expect(Buffer.from(await store.get('a/file')).equals(large)).toBe(true);
    expect(await store.head('a/text')).toEqual({
      key: 'a/text',
      bytes: 7,
      sha256: sha256Of('Grüße'),
      contentType: 'text/plain',
    });
    await store.put('a/empty', '');
    expect(await store.get('a/empty')).toHaveLength(0);
  });

  it('are replaced by a plain put, and not by one that asks for a new object', async () => {
    await store.put('b', 'one');
    await store.put('b', 'two');
    await expect(store.put('b', 'three', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'state/conflict' });
    expect(Buffer.from(await store.get('b')).toString()).toBe('two');
  });

  it('that are immutable are written once: again does nothing, other content is refused, and one of many writers wins', async () => {
    await expect(store.putImmutable('c', 'same')).resolves.toMatchObject({ created: true });
    await expect(store.putImmutable('c', 'same')).resolves.toMatchObject({ created: false, sha256: sha256Of('same') });
    await expect(store.putImmutable('c', 'else')).rejects.toMatchObject({ code: 'state/conflict' });
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => store.putImmutable('c/race', 'same')));
    expect(outcomes.filter(({ created }) => created)).toHaveLength(1);
  });

  it('that somebody else put are compared by their content', async () => {
    const options = testBucketOptions();
    const client = new S3Client({
      endpoint: options.endpoint,
      region: options.region,
      forcePathStyle: true,
      credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    });
    await client.send(new PutObjectCommand({ Bucket: store.bucket, Key: 'foreign', Body: 'abc' }));
    client.destroy();
    await expect(store.putImmutable('foreign', 'abc')).resolves.toMatchObject({ created: false });
    await expect(store.putImmutable('foreign', 'abd')).rejects.toMatchObject({ code: 'state/conflict' });
  });

  it('that are missing are not found; deleting one does nothing', async () => {
    await expect(store.get('nowhere/x')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('nowhere/x') as string,
    });
    expect(await store.head('nowhere/x')).toBeUndefined();
    await store.delete('nowhere/x');
    await store.put('gone', 'x');
    await store.delete('gone');
    expect(await store.head('gone')).toBeUndefined();
  });
});

describe('a download', () => {
  it('is renamed into place only when its digest is right', async () => {
    const bytes = randomBytes(300_000);
    await store.put('d/artifact', bytes);
    const file = path.join(folder, 'deep', 'artifact');
    const wrong = store.getToFile('d/artifact', file, { sha256: '0'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({
      code: 'artifact/digest-mismatch',
      details: { actual: sha256Of(bytes) },
    });
    expect(await readdir(path.dirname(file))).toEqual([]);
    await expect(store.getToFile('d/artifact', file, { sha256: sha256Of(bytes) })).resolves.toEqual({
      sha256: sha256Of(bytes),
      bytes: 300_000,
    });
    expect((await readFile(file)).equals(bytes)).toBe(true);
    await expect(store.getToFile('d/none', file)).rejects.toMatchObject({ code: 'not-found' });
    expect((await readFile(file)).equals(bytes)).toBe(true);
  });
});

describe('a listing', () => {
  it('gives all pages in the order of the keys, and only the prefix', async () => {
    const keys = [
      'l/b/1',
      'l/a',
      'l/b.parquet',
      'l/B',
      'l/b/0',
      'l/a/z',
      'l/b-1',
      ...Array.from({ length: 20 }, (_, index) => `l/n/${index}`),
    ];
    for (const key of [...keys, 'm/other']) await store.put(key, key);
    const listed = await store.list('l/', { pageSize: 4 });
    expect(listed.map(({ key }) => key)).toEqual([...keys].sort());
    expect(listed[0]).toMatchObject({ bytes: 3, modifiedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string });
    expect(await store.list('none/')).toEqual([]);
  });
});

describe('a key', () => {
  it('may be any other name: it comes back as it was given, in lists too, and is one object', async () => {
    const names = [
      'part 0',
      'März',
      'Ma\u0308rz',
      'a+b%20',
      'a%2Fb',
      'rows[1]',
      '*',
      '?x=1',
      '#',
      "'",
      '"&<>',
      '🍕',
      'new\nline',
      '\u0001',
      '~!@$^()=:;,',
      ' ',
      'y'.repeat(200),
    ];
    for (const name of names) await store.put(`k/${name}`, name);
    expect((await store.list('k/', { pageSize: 5 })).map(({ key }) => key)).toEqual(
      names.map((name) => `k/${name}`).sort(),
    );
    for (const name of names) expect(Buffer.from(await store.get(`k/${name}`)).toString()).toBe(name);
    await store.delete('k/Ma\u0308rz');
    expect((await store.list('k/M')).map(({ key }) => key)).toEqual(['k/März']);
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '../a',
    'a/../b',
    './a',
    'a\\b',
    'a\0b',
    '\ud83c',
    'x'.repeat(1025),
    'ü'.repeat(600),
  ])('%j is refused', async (key) => {
    await expect(store.put(key, 'x')).rejects.toMatchObject({ code: 'input/invalid' });
    await expect(store.get(key)).rejects.toMatchObject({ code: 'input/invalid' });
  });
});

describe('a server', () => {
  it('that is away is named, with its endpoint, within seconds', async () => {
    const away = createObjectStore({ ...testBucketOptions(), endpoint: 'http://127.0.0.1:9' });
    const started = performance.now();
    await expect(away.get('x')).rejects.toMatchObject({
      code: 'server/unreachable',
      message: expect.stringContaining('http://127.0.0.1:9') as string,
      retryable: true,
    });
    await expect(away.ping()).rejects.toMatchObject({ code: 'server/unreachable' });
    expect(performance.now() - started).toBeLessThan(10_000);
    away.close();
  });

  it('that accepts connections and never answers fails a ping soon', async () => {
    const silent: Server = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const hanging = createObjectStore({ ...testBucketOptions(), endpoint: `http://127.0.0.1:${port}` });
    const started = performance.now();
    await expect(hanging.ping()).rejects.toMatchObject({ code: 'server/unreachable' });
    expect(performance.now() - started).toBeLessThan(4_500);
    hanging.close();
    silent.closeAllConnections();
    silent.close();
  });

  it('that fails twice is asked a third time, with the whole file again', async () => {
    const received: number[] = [];
    const server: Server = createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => {
        received.push(bytes);
        response.writeHead(received.length < 3 ? 503 : 200, { etag: '"x"' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const flaky = createObjectStore({ ...testBucketOptions(), endpoint: `http://127.0.0.1:${port}` });
    const file = path.join(folder, 'flaky.bin');
    await writeFile(file, randomBytes(200_000));
    await flaky.put('x', { file });
    expect(received).toEqual([200_000, 200_000, 200_000]);
    flaky.close();
    server.close();
  });

  it('that refuses the credentials is an access problem, and a bucket that is not there is named', async () => {
    const wrong = createObjectStore({ ...testBucketOptions(), bucket: store.bucket, secretAccessKey: 'wrong' });
    await expect(wrong.put('x', 'y')).rejects.toMatchObject({ code: 'access/denied' });
    wrong.close();
    const bucketless = createObjectStore(testBucketOptions());
    await bucketless.ping();
    await expect(bucketless.get('x')).rejects.toMatchObject({ code: 'not-found' });
    await expect(bucketless.list('x/')).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(bucketless.bucket) as string,
    });
    await bucketless.ensureBucket();
    await bucketless.ensureBucket();
    expect(await bucketless.list('')).toEqual([]);
    bucketless.close();
  });
});
