import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';
import { PerdureError } from '../../domain/errors.js';
import { digestOfContent, download, isFile, type ContentDigest } from './object-store-content.js';
import type {
  ListedObject,
  ObjectContent,
  ObjectStore,
  ObjectStoreOptions,
  PutOptions,
} from './object-store-interface.js';
import { checkObjectKey, checkObjectPrefix } from './object-store-key.js';
import { isPreconditionFailure, objectStoreError, statusOf } from './object-store-errors.js';

export type {
  ListedObject,
  ObjectContent,
  ObjectInfo,
  ObjectStore,
  ObjectStoreOptions,
  PutOptions,
} from './object-store-interface.js';

const attemptsMax = 3;
const firstPauseMs = 100;
/** A connection that does not open in this time is given up. */
const connectionTimeoutMs = 3_000;
/** A transfer that moves no byte in this time is given up. */
const idleTimeoutMs = 30_000;
/** A health check must know soon. */
const pingTimeoutMs = 3_000;
const ignore = (): void => undefined;
const sha256Metadata = 'perdure-sha256';

/** A client of one bucket. It opens connections when it needs them; `close` ends them. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { endpoint, bucket } = options;
  // The SDK announces the end of Node 20 on standard error; which Node is supported is checked by the bootstrap.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const client = new S3Client({
    endpoint,
    region: options.region,
    credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Retries are made here, because a stream that was read once cannot be sent again.
    maxAttempts: 1,
    // What the SDK would print is thrown as well.
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: idleTimeoutMs },
  });

  /** Runs one operation, with a new stream for every attempt. */
  async function attempt<T>(what: string, operation: () => Promise<T>): Promise<T> {
    for (let number = 1; ; number += 1) {
      try {
        return await operation();
      } catch (error) {
        const known = objectStoreError(error, { what, endpoint, bucket });
        if (!known.retryable || number === attemptsMax) throw known;
        await new Promise((resolve) => setTimeout(resolve, firstPauseMs * 4 ** (number - 1)));
      }
    }
  }

  async function putDigested(
    key: string,
    content: ObjectContent,
    digest: ContentDigest,
    { contentType, ifNoneMatch }: PutOptions,
  ): Promise<void> {
    await attempt(`put ${key}`, async () => {
      const body = isFile(content) ? createReadStream(content.file) : content;
      try {
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: key,
            Body: body,
            ContentLength: digest.bytes,
            Metadata: { [sha256Metadata]: digest.sha256 },
            ...(contentType === undefined ? {} : { ContentType: contentType }),
            ...(ifNoneMatch === undefined ? {} : { IfNoneMatch: ifNoneMatch }),
          }),
        );
      } catch (error) {
        if (!isPreconditionFailure(error)) throw error;
        throw new PerdureError(
          'state/conflict',
          `Object ${key} is already in bucket ${bucket} and may not be replaced.`,
          { key },
        );
      } finally {
        if (body instanceof Readable) body.destroy();
      }
    });
  }

  const store: ObjectStore = {
    endpoint,
    bucket,

    async put(key, content, putOptions = {}) {
      checkObjectKey(key);
      const digest = await digestOfContent(content);
      await putDigested(key, content, digest, putOptions);
      return digest;
    },

    async putImmutable(key, content, { contentType } = {}) {
      checkObjectKey(key);
      const digest = await digestOfContent(content);
      if (await isThere(key, digest)) return { ...digest, created: false };
      try {
        await putDigested(key, content, digest, {
          ifNoneMatch: '*',
          ...(contentType === undefined ? {} : { contentType }),
        });
        return { ...digest, created: true };
      } catch (error) {
        // Somebody was faster, or the answer to an earlier attempt of this call was lost.
        if (error instanceof PerdureError && error.code === 'state/conflict' && (await isThere(key, digest)))
          return { ...digest, created: false };
        throw error;
      }
    },

    async get(key) {
      checkObjectKey(key);
      return attempt(`get ${key}`, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body ? Body.transformToByteArray() : new Uint8Array();
      });
    },

    async getToFile(key, file, { sha256: expected } = {}) {
      checkObjectKey(key);
      await mkdir(path.dirname(file), { recursive: true });
      const partial = `${file}.${randomUUID()}.partial`;
      try {
        const digest = await attempt(`get ${key}`, async () => {
          const { Body, ContentLength } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          if (!(Body instanceof Readable))
            throw new PerdureError('server/unreachable', `${endpoint} sent no content for ${key}.`, { endpoint, key });
          const received = await download(Body, partial);
          if (ContentLength !== undefined && received.bytes !== ContentLength) {
            throw new PerdureError(
              'server/unreachable',
              `${endpoint} sent ${received.bytes} of the ${ContentLength} bytes of ${key}.`,
              {
                endpoint,
                key,
              },
            );
          }
          return received;
        });
        if (expected !== undefined && digest.sha256 !== expected) throw digestMismatch(key, expected, digest.sha256);
        await rename(partial, file);
        return digest;
      } finally {
        await rm(partial, { force: true });
      }
    },

    async head(key) {
      checkObjectKey(key);
      return attempt(`head ${key}`, async () => {
        try {
          const found = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
          const sha256 = found.Metadata?.[sha256Metadata];
          return {
            key,
            bytes: found.ContentLength ?? 0,
            ...(sha256 === undefined ? {} : { sha256 }),
            ...(found.ContentType === undefined ? {} : { contentType: found.ContentType }),
          };
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      });
    },

    async list(prefix, { pageSize = 1000, max = Infinity } = {}) {
      checkObjectPrefix(prefix);
      const objects = new Map<string, ListedObject>();
      for await (const page of pages(prefix, { MaxKeys: Math.min(pageSize, max) })) {
        for (const object of objectsOf(page)) objects.set(object.key, object);
        if (objects.size >= max) break;
      }
      return inOrder(objects).slice(0, max);
    },

    async folders(prefix) {
      checkObjectPrefix(prefix);
      const objects = new Map<string, ListedObject>();
      const folders = new Set<string>();
      for await (const page of pages(prefix, { Delimiter: '/' })) {
        for (const object of objectsOf(page)) objects.set(object.key, object);
        for (const { Prefix = '' } of page.CommonPrefixes ?? [])
          folders.add(named(page, Prefix).slice(prefix.length, -1));
      }
      return { folders: [...folders].sort(), objects: inOrder(objects) };
    },

    async listFolders(prefix) {
      const { folders } = await store.folders(prefix);
      return folders.map((folder) => `${prefix}${folder}/`);
    },

    async delete(key) {
      checkObjectKey(key);
      await attempt(`delete ${key}`, () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
    },

    async ensureBucket() {
      await attempt('create the bucket', async () => {
        try {
          await client.send(new HeadBucketCommand({ Bucket: bucket }));
        } catch (error) {
          if (statusOf(error) !== 404) throw error;
          await client.send(new CreateBucketCommand({ Bucket: bucket })).catch((problem: unknown) => {
            if (!(problem instanceof Error) || problem.name !== 'BucketAlreadyOwnedByYou') throw problem;
          });
        }
      });
    },

    async ping() {
      try {
        await client.send(new HeadBucketCommand({ Bucket: bucket }), {
          abortSignal: AbortSignal.timeout(pingTimeoutMs),
        });
      } catch (error) {
        if (statusOf(error) !== 404) throw objectStoreError(error, { what: 'answer', endpoint, bucket });
      }
    },

    close: () => client.destroy(),
  };

  /** The pages of a listing. */
  async function* pages(
    prefix: string,
    more: { MaxKeys?: number; Delimiter?: string },
  ): AsyncGenerator<ListObjectsV2CommandOutput> {
    let token: string | undefined;
    do {
      const after = token === undefined ? {} : { ContinuationToken: token };
      // Names with control characters cannot be written in XML.
      const asked = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' as const, ...more, ...after };
      const page = await attempt(`list ${prefix}`, () => client.send(new ListObjectsV2Command(asked)));
      yield page;
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /**
   * Whether the object is there with this content.
   * @throws PerdureError `state/conflict` when it is there with other content.
   */
  async function isThere(key: string, digest: ContentDigest): Promise<boolean> {
    const found = await store.head(key);
    if (!found) return false;
    const sha256 =
      found.bytes === digest.bytes ? (found.sha256 ?? (await digestOfContent(await store.get(key))).sha256) : undefined;
    if (sha256 === digest.sha256) return true;
    throw new PerdureError(
      'state/conflict',
      `Object ${key} is in bucket ${bucket} with other content; an immutable object is never replaced.`,
      { key },
    );
  }

  return store;
}

/** Not every server lists in byte order. */
const inOrder = (objects: ReadonlyMap<string, ListedObject>): ListedObject[] =>
  [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));

const named = (page: ListObjectsV2CommandOutput, key: string): string =>
  page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;

/** The objects of a page; the marks that some clients leave for folders are none. */
function objectsOf(page: ListObjectsV2CommandOutput): ListedObject[] {
  return (page.Contents ?? []).flatMap(({ Key, Size, LastModified, ETag }) => {
    const key = named(page, Key ?? '');
    if (key === '' || key.endsWith('/')) return [];
    return [{ key, bytes: Size ?? 0, modifiedAt: (LastModified ?? new Date(0)).toISOString(), etag: ETag ?? '' }];
  });
}

function digestMismatch(key: string, expected: string, actual: string): PerdureError {
  return new PerdureError(
    'artifact/digest-mismatch',
    `Object ${key} has SHA-256 ${actual}, expected ${expected}. It was damaged or replaced; restore it from a copy.`,
    {
      key,
      expected,
      actual,
    },
  );
}
