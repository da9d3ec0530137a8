import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { PerdureError } from '../../domain/errors.js';

export interface ReceivedFile {
  file: string;
  sha256: string;
  bytes: number;
}

/** Parquet begins and ends with these; before the last four bytes stands the footer's length. */
const magic = Buffer.from('PAR1');
const bytesMin = 12;

/**
 * Receives a Parquet file into `folder` and hands it to `use`; the file is gone afterwards, whatever happened.
 * @throws PerdureError `data/unreadable` for what is not a whole Parquet file, `input/too-large` for one over
 * `bytesMax`.
 */
export async function receiveParquet<T>(
  stream: Readable,
  { folder, bytesMax }: { folder: string; bytesMax: number },
  use: (received: ReceivedFile) => Promise<T>,
): Promise<T> {
  return receiveFile(stream, { folder, bytesMax }, async (received) => {
    await checkParquet(received.file, received.bytes);
    return use(received);
  });
}

/** The same for a file of any kind. @throws PerdureError `input/too-large`. */
export async function receiveFile<T>(
  stream: Readable,
  { folder, bytesMax }: { folder: string; bytesMax: number },
  use: (received: ReceivedFile) => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, `upload-${randomUUID()}`);
  try {
    return await use({ file, ...(await write(stream, file, bytesMax)) });
  } finally {
    await rm(file, { force: true });
  }
}

/** The stream is left open when it is refused, so that the refusal can still be sent to whoever is sending. */
async function write(stream: Readable, file: string, bytesMax: number): Promise<Omit<ReceivedFile, 'file'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  const handle = await open(file, 'wx');
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      hash.update(part);
      await handle.writeFile(part);
    }
    return { sha256: hash.digest('hex'), bytes };
  } catch (error) {
    if (error instanceof PerdureError || !stream.errored) throw error;
    throw new PerdureError(
      'input/invalid',
      `The upload ended after ${bytes} bytes, before it was complete. Nothing was stored; send the file again.`,
      { bytes },
    );
  } finally {
    await handle.close();
  }
}

/** Removes what a killed process left. For the start, before the first upload. */
export async function clearUploads(folder: string): Promise<void> {
  const left = await readdir(folder).catch(() => []);
  await Promise.all(
    left.filter((name) => name.startsWith('upload-')).map((name) => rm(path.join(folder, name), { force: true })),
  );
}

async function checkParquet(file: string, bytes: number): Promise<void> {
  if (bytes < bytesMin) throw unreadable(`it has only ${bytes} bytes`);
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(magic.length);
    const tail = Buffer.alloc(magic.length + 4);
    await handle.read(head, 0, head.length, 0);
    await handle.read(tail, 0, tail.length, bytes - tail.length);
    if (!head.equals(magic)) throw unreadable('it does not begin with the bytes "PAR1" of a Parquet file');
    if (!tail.subarray(4).equals(magic))
      throw unreadable('it does not end with the bytes "PAR1": the file is truncated');
    const footerBytes = tail.readUInt32LE(0);
    if (footerBytes === 0 || footerBytes > bytes - bytesMin)
      throw unreadable(`its footer claims ${footerBytes} of ${bytes} bytes`);
  } finally {
    await handle.close();
  }
}

const unreadable = (why: string) =>
  new PerdureError(
    'data/unreadable',
    `The file is not a complete Parquet file: ${why}. Nothing was stored. Write it again as Parquet and send it again.`,
  );

const tooLarge = (bytesMax: number) =>
  new PerdureError(
    'input/too-large',
    `The file is larger than the ${Math.round(bytesMax / 1024 / 1024)} MiB that one upload may have. Nothing ` +
      'was stored. Split it and send the parts with append=true.',
    { bytesMax },
  );
