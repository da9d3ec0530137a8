import type { Readable } from 'node:stream';
import { createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { PerdureError } from '../../domain/errors.js';
import { tooManyBytes, type HeldBytes } from './body-budget.js';
import { codingsOf, type Coding } from './content-encoding.js';

/**
 * A body that is refused is still read, so that the caller gets to see the answer; beyond this many times the limit the
 * connection is cut.
 */
const drainFactor = 8;

export interface BodyLimits {
  /** Of this body, packed or unpacked. */
  bytesMax: number;
  /** Its part of what the process may hold. */
  held: HeldBytes;
}

/**
 * Reads a request's body, unpacked when it came with `Content-Encoding` gzip or deflate.
 * @throws PerdureError `input/too-large` above its limit, packed or unpacked; `serving/overloaded` above the process's;
 * `input/unsupported` for another encoding.
 */
export async function readBody(stream: Readable, encoding: string | undefined, limits: BodyLimits): Promise<Buffer> {
  let body = await collect(stream, limits);
  for (const coding of codingsOf(encoding)) body = await unpack(body, coding, limits);
  return body;
}

function collect(stream: Readable, { bytesMax, held }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    let refusal: PerdureError | undefined;
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax) refusal ??= tooLarge(bytesMax);
      else if (refusal === undefined && !held.add(chunk.length)) {
        refusal = tooManyBytes();
        reject(refusal); // Who has no room here had better know at once.
      }
      if (refusal === undefined) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      held.release();
      if (size > bytesMax * drainFactor) {
        reject(refusal);
        stream.destroy();
      }
    });
    stream.on('end', () => {
      if (refusal !== undefined) reject(refusal);
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

/** Unpacks piece by piece, so that a small body that unpacks to a large one is stopped where it becomes too large. */
function unpack(packed: Buffer, coding: Coding, { bytesMax, held }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const unpacker = coding === 'gzip' ? createGunzip() : hasZlibHeader(packed) ? createInflate() : createInflateRaw();
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = (error: PerdureError) => {
      unpacker.destroy();
      held.release();
      reject(error);
    };
    unpacker.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > bytesMax) refuse(tooLarge(bytesMax));
      else if (held.add(chunk.length)) chunks.push(chunk);
      else refuse(tooManyBytes());
    });
    unpacker.on('end', () => {
      held.release(packed.length);
      resolve(Buffer.concat(chunks, size));
    });
    unpacker.on('error', () =>
      refuse(
        new PerdureError(
          'input/invalid',
          `The body is not ${coding} data. Send it whole, or without Content-Encoding.`,
        ),
      ),
    );
    unpacker.end(packed);
  });
}

/** Some clients send deflate data without the header that HTTP asks for. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length >= 2 && ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
}

function tooLarge(limitBytes: number): PerdureError {
  return new PerdureError(
    'input/too-large',
    `The body is larger than ${Math.floor(limitBytes / 1024 / 1024)} MiB. Send fewer rows a request, or ` +
      'binary tensors.',
  );
}
