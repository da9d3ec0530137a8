const inferTypes = new Set([
  'application/json',
  'application/octet-stream',
  'application/vnd.sagemaker-triton.binary+json',
]);

/**
 * Whether a body of this content type may be an inference request. Clients of the binary extension send no type at all.
 */
export function isInferType(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === 'application/json' || contentType === 'application/octet-stream')
    return true;
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
  return type === '' || inferTypes.has(type);
}
