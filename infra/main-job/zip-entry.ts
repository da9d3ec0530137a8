import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { PerdureError } from '../../domain/errors.js';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const STORED = 0;
const DEFLATED = 8;

/**
 * The bytes of one file in a zip archive (PKWARE APPNOTE 6.3, without Zip64 and encryption), checked against its
 * CRC-32.
 * @throws PerdureError `data/unreadable` when the archive is damaged or of another kind, `data/missing` when it has no
 * such file.
 */
export async function readZipEntry(archive: string, name: string): Promise<Buffer> {
  const zip = await readFile(archive);
  const damaged = (what: string) =>
    new PerdureError('data/unreadable', `${archive} is not a usable zip archive: ${what}. Install its package again.`);
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || end + 22 > zip.length || zip.readUInt32LE(end) !== END_OF_DIRECTORY)
    throw damaged('it has no directory');
  const entries = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  for (let index = 0; index < entries; index += 1) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw damaged('its directory is cut short');
    const nameLength = zip.readUInt16LE(at + 28);
    const next = at + 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) !== name) {
      at = next;
      continue;
    }
    const method = zip.readUInt16LE(at + 10);
    const header = zip.readUInt32LE(at + 42);
    if (header + 30 > zip.length || zip.readUInt32LE(header) !== LOCAL_HEADER) throw damaged(`${name} has no header`);
    const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
    const packed = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    if (method !== STORED && method !== DEFLATED) throw damaged(`${name} is packed by method ${method}`);
    const bytes = method === STORED ? packed : await promisify(inflateRaw)(packed).catch(() => undefined);
    if (!bytes || bytes.length !== zip.readUInt32LE(at + 24) || crc32(bytes) !== zip.readUInt32LE(at + 16))
      throw damaged(`${name} is damaged`);
    return bytes;
  }
  throw new PerdureError('data/missing', `${archive} holds no file ${name}.`);
}
