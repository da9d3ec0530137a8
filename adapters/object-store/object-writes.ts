import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { PerdureError } from '../../domain/errors.js';
import { digestOfContent, isFile, type ContentDigest } from './object-store-content.js';
import type { ObjectContent, ObjectStore, PutOptions } from './object-store-interface.js';
import type { BucketConnection } from './bucket-connection.js';
import { sha256Metadata } from './object-reads.js';
import { checkObjectKey } from './object-store-key.js';
import { isPreconditionFailure } from './object-store-errors.js';

type Writes = Pick<ObjectStore, 'put' | 'putImmutable' | 'delete'>;

/** Writing objects, with their digests beside them. What is immutable is never replaced. */
export function createWrites(
  { client, bucket, attempt }: BucketConnection,
  { head, get }: Pick<ObjectStore, 'head' | 'get'>,
): Writes {
  return {
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

    async delete(key) {
      checkObjectKey(key);
      await attempt(`delete ${key}`, () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
    },
  };

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

  /**
   * Whether the object is there with this content.
   * @throws PerdureError `state/conflict` when it is there with other content.
   */
  async function isThere(key: string, digest: ContentDigest): Promise<boolean> {
    const found = await head(key);
    if (!found) return false;
    const sha256 =
      found.bytes === digest.bytes ? (found.sha256 ?? (await digestOfContent(await get(key))).sha256) : undefined;
    if (sha256 === digest.sha256) return true;
    throw new PerdureError(
      'state/conflict',
      `Object ${key} is in bucket ${bucket} with other content; an immutable object is never replaced.`,
      { key },
    );
  }
}
