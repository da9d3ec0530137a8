import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { PerdureError } from '../domain/errors.js';

const gunzipBytes = promisify(gunzip);
const inflateBytes = promisify(inflate);

/** A body that is refused is still read, so that the caller gets to see the answer; beyond this many times the limit the connection is cut. */
const drainFactor = 8;

/**
 * Reads a request's body, unpacked when it came with `Content-Encoding` gzip or deflate.
 * @throws PerdureError `input/too-large` above `limitBytes`, packed or unpacked; `input/unsupported` for another encoding.
 */
export async function readBody(stream: Readable, encoding: string | undefined, limitBytes: number): Promise<Buffer> {
  const packed = await collect(stream, limitBytes);
  if (encoding === undefined || encoding === 'identity') return packed;
  if (encoding !== 'gzip' && encoding !== 'deflate') {
    throw new PerdureError(
      'input/unsupported',
      `The content encoding ${JSON.stringify(encoding)} is not known here. Send gzip, deflate or none.`,
    );
  }
  try {
    return await (encoding === 'gzip' ? gunzipBytes : inflateBytes)(packed, { maxOutputLength: limitBytes });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(limitBytes);
    throw new PerdureError('input/invalid', `The body is not ${encoding} data. Send it whole, or without Content-Encoding.`);
  }
}

function collect(stream: Readable, limitBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limitBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        if (size > limitBytes * drainFactor) {
          reject(tooLarge(limitBytes));
          stream.destroy();
        }
      }
    });
    stream.on('end', () => {
      if (size > limitBytes) reject(tooLarge(limitBytes));
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, size));
    });
    stream.on('error', reject);
    stream.on('close', () => {
      // A stream also closes after its end; an error made for nothing costs as much as parsing a small request.
      if (!stream.readableEnded)
        reject(new PerdureError('input/invalid', 'The connection ended before the body did. Send the whole body.'));
    });
  });
}

function tooLarge(limitBytes: number): PerdureError {
  return new PerdureError(
    'input/too-large',
    `The body is larger than ${Math.floor(limitBytes / 1024 / 1024)} MiB. Send fewer rows a request, or binary tensors.`,
  );
}
