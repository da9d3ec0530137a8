import { randomUUID } from 'node:crypto';
import {
  createObjectStore,
  type ObjectStore,
  type ObjectStoreOptions,
} from '../../../adapters/object-store/object-store.js';

/** How to reach the suite's own S3 server, with a bucket that nobody else uses. */
export function testBucketOptions(): ObjectStoreOptions {
  const {
    PERDURE_S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  } = process.env;
  if (!endpoint || !accessKeyId || !secretAccessKey)
    throw new Error('The suite needs its S3 server: PERDURE_S3_ENDPOINT and the AWS keys are not set.');
  return { endpoint, region: 'us-east-1', bucket: `test-${randomUUID()}`, accessKeyId, secretAccessKey };
}

export async function openTestBucket(): Promise<ObjectStore> {
  const store = createObjectStore(testBucketOptions());
  await store.ensureBucket();
  return store;
}
