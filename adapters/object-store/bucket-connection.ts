import { S3Client } from '@aws-sdk/client-s3';
import { objectStoreError } from './object-store-errors.js';
import type { ObjectStoreOptions } from './object-store-interface.js';

const attemptsMax = 3;
const firstPauseMs = 100;
/** A connection that does not open in this time is given up. */
const connectionTimeoutMs = 3_000;
/** A transfer that moves no byte in this time is given up. */
const idleTimeoutMs = 30_000;
const ignore = (): void => undefined;

/** A client of one bucket, and how an operation on it is tried. */
export interface BucketConnection {
  client: S3Client;
  endpoint: string;
  bucket: string;
  /** Runs one operation, with a new stream for every attempt. */
  attempt: <T>(what: string, operation: () => Promise<T>) => Promise<T>;
}

export function connectBucket(options: ObjectStoreOptions): BucketConnection {
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

  return { client, endpoint, bucket, attempt };

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
}
