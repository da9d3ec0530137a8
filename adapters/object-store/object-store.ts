import { CreateBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3';
import type { ObjectStore, ObjectStoreOptions } from './object-store-interface.js';
import { connectBucket } from './bucket-connection.js';
import { createListing } from './object-listing.js';
import { createReads } from './object-reads.js';
import { createWrites } from './object-writes.js';
import { objectStoreError, statusOf } from './object-store-errors.js';

export type {
  ListedObject,
  ObjectContent,
  ObjectInfo,
  ObjectStore,
  ObjectStoreOptions,
  PutOptions,
} from './object-store-interface.js';

/** A health check must know soon. */
const pingTimeoutMs = 3_000;

/** A client of one bucket. It opens connections when it needs them; `close` ends them. */
export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const connection = connectBucket(options);
  const { client, endpoint, bucket, attempt } = connection;
  const reads = createReads(connection);
  return {
    endpoint,
    bucket,
    ...reads,
    ...createWrites(connection, reads),
    ...createListing(connection),

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
}
