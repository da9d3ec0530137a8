import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PerdureError } from '../../../domain/errors.js';

export interface BucketAccess {
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string | undefined;
  secretAccessKey: string | undefined;
}

/**
 * The SDK announces the end of Node 20 on standard error at every start; which Node is supported is checked by the
 * bootstrap.
 */
export const awsNodeWarningOff = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/**
 * Checks that the bucket is there; with `create` makes it when it is absent.
 * @throws when the store does not answer or refuses.
 */
export async function ensureBucket(access: BucketAccess, mode: 'check' | 'create'): Promise<void> {
  await withClient(access, async (client) => {
    try {
      await client.send(new HeadBucketCommand({ Bucket: access.bucket }));
    } catch (error) {
      const status = httpStatusOf(error);
      if (status === 404 && mode === 'create') {
        await client.send(new CreateBucketCommand({ Bucket: access.bucket }));
        return;
      }
      if (status === undefined) throw error;
      throw new PerdureError(
        'server/unreachable',
        status === 404
          ? `The bucket ${access.bucket} is not at ${access.endpoint}.`
          : `${access.endpoint} answered ${status} for the bucket ${access.bucket}. Check AWS_ACCESS_KEY_ID, ` +
              'AWS_SECRET_ACCESS_KEY and PERDURE_S3_BUCKET.',
      );
    }
  });
}

/** Writes a small object and removes it. A store may answer before it can write. */
export async function checkBucketWritable(access: BucketAccess): Promise<void> {
  await withClient(access, async (client) => {
    const place = { Bucket: access.bucket, Key: '.perdure-probe' };
    await client.send(new PutObjectCommand({ ...place, Body: 'probe' }));
    await client.send(new DeleteObjectCommand(place));
  });
}

async function withClient<T>(access: BucketAccess, use: (client: S3Client) => Promise<T>): Promise<T> {
  const { accessKeyId, secretAccessKey } = access;
  process.env[awsNodeWarningOff] ??= 'true';
  const client = new S3Client({
    endpoint: access.endpoint,
    region: access.region,
    forcePathStyle: true,
    maxAttempts: 1,
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId, secretAccessKey } } : {}),
  });
  try {
    return await use(client);
  } finally {
    client.destroy();
  }
}

function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}
