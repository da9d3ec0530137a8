import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ObjectContent } from './object-store-interface.js';

export interface ContentDigest {
  sha256: string;
  bytes: number;
}

export const isFile = (content: ObjectContent): content is { file: string } =>
  typeof content === 'object' && 'file' in content;

/** Length and SHA-256 of what is to be stored; a file is streamed. */
export async function digestOfContent(content: ObjectContent): Promise<ContentDigest> {
  const hash = createHash('sha256');
  if (!isFile(content)) {
    const bytes = Buffer.from(content);
    return { sha256: hash.update(bytes).digest('hex'), bytes: bytes.length };
  }
  let bytes = 0;
  for await (const chunk of createReadStream(content.file)) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    hash.update(part);
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Writes a stream to a file and flushes it to disk. */
export async function download(body: Readable, file: string): Promise<ContentDigest> {
  const hash = createHash('sha256');
  let bytes = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(body, meter, createWriteStream(file));
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest('hex'), bytes };
}
