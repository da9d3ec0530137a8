import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { PerdureError } from '../../domain/errors.js';
import { download } from './object-store-content.js';
import type { ObjectStore } from './object-store-interface.js';
import type { BucketConnection } from './bucket-connection.js';
import { checkObjectKey } from './object-store-key.js';
import { statusOf } from './object-store-errors.js';

/** Where the digest of an object stands beside it. */
export const sha256Metadata = 'perdure-sha256';

type Reads = Pick<ObjectStore, 'get' | 'getToFile' | 'head'>;

/** Reading objects, whole or into files whose digest is checked. */
export function createReads({ client, endpoint, bucket, attempt }: BucketConnection): Reads {
  return {
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
  };
}

function digestMismatch(key: string, expected: string, actual: string): PerdureError {
  return new PerdureError(
    'artifact/digest-mismatch',
    `Object ${key} has SHA-256 ${actual}, expected ${expected}. It was damaged or replaced; restore it from a backup.`,
    {
      key,
      expected,
      actual,
    },
  );
}
