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

    async list(prefix, { pageSize = 1000 } = {}) {
      checkObjectPrefix(prefix);
      const objects = new Map<string, ListedObject>();
      let token: string | undefined;
      do {
        const page = await attempt(`list ${prefix}`, () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              MaxKeys: pageSize,
              // Names with control characters cannot be written in XML.
              EncodingType: 'url',
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          ),
        );
        const named = (key: string) =>
          page.EncodingType === 'url' ? decodeURIComponent(key.replaceAll('+', ' ')) : key;
        for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
          const key = named(Key ?? '');
          if (key === '' || key.endsWith('/')) continue;
          objects.set(key, {
            key,
            bytes: Size ?? 0,
            modifiedAt: (LastModified ?? new Date(0)).toISOString(),
            etag: ETag ?? '',
          });
        }
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      // Not every server lists in byte order.
      return [...objects.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
    },

    async listFolders(prefix) {
      checkObjectPrefix(prefix);
      const folders = new Set<string>();
      let token: string | undefined;
      do {
        const page = await attempt(`list ${prefix}`, () =>
          client.send(
            new ListObjectsV2Command({
              ...{ Bucket: bucket, Prefix: prefix, Delimiter: '/' },
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          ),
        );
        for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) folders.add(Prefix);
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return [...folders].sort();
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
