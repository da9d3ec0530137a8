import { S3ServiceException } from '@aws-sdk/client-s3';
import { PerdureError, messageOf } from '../../domain/errors.js';

/** The HTTP status of a server's refusal, or undefined when no answer came. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}

/** Whether a conditional put was refused because the object exists. */
export function isPreconditionFailure(error: unknown): boolean {
  const status = statusOf(error);
  return (
    status === 412 ||
    (status === 409 && error instanceof S3ServiceException && error.name === 'ConditionalRequestConflict')
  );
}

/** Gives a failure of the SDK or the network the product's words. A PerdureError stays as it is. */
export function objectStoreError(
  error: unknown,
  where: { what: string; endpoint: string; bucket: string },
): PerdureError {
  if (error instanceof PerdureError) return error;
  const { what, endpoint, bucket } = where;
  const status = statusOf(error);
  const reason = messageOf(error);
  const details = { endpoint, bucket, ...(status === undefined ? {} : { status }) };
  if (error instanceof S3ServiceException && error.name === 'NoSuchBucket') {
    return new PerdureError(
      'not-found',
      `The object store at ${endpoint} has no bucket ${bucket}. Run \`npx perdure up\`, which creates it.`,
      details,
    );
  }
  if (status === 404)
    return new PerdureError(
      'not-found',
      `Could not ${what}: bucket ${bucket} at ${endpoint} has no such object.`,
      details,
    );
  if (status === 401 || status === 403) {
    return new PerdureError(
      'access/denied',
      `The object store at ${endpoint} refused to ${what}: ${reason}. Check AWS_ACCESS_KEY_ID and ` +
        'AWS_SECRET_ACCESS_KEY.',
      details,
    );
  }
  if (status === undefined && isLocal(error))
    return new PerdureError('environment/broken', `Could not ${what}: ${reason}. Check the local disk.`, details);
  if (status === undefined || status === 429 || status >= 500) {
    return new PerdureError(
      'server/unreachable',
      `The object store at ${endpoint} could not ${what}: ${reason}. Check that it runs: \`npx perdure status\`.`,
      details,
    );
  }
  return new PerdureError(
    'environment/broken',
    `The object store at ${endpoint} refused to ${what} with status ${status}: ${reason}.`,
    details,
  );
}

/** Failures of the file system on this side: nothing that waiting for the server would mend. */
function isLocal(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    ['ENOENT', 'EACCES', 'EISDIR', 'ENOSPC', 'EMFILE', 'EROFS', 'ENOTDIR'].includes(error.code)
  );
}
