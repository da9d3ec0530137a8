import { existsSync, statfsSync } from 'node:fs';
import path from 'node:path';

/** Below this much, servers stop writing. */
export const fullBelowBytes = 64 * 1024 ** 2;

/** Below this much, the doctor asks for space. */
export const leastFreeBytes = 2 * 1024 ** 3;

/** Free bytes of the file system that holds a folder, or would. */
export function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(nearestFolder(folder));
  return bavail * bsize;
}

/** The folder itself, or the one in which it would be made. */
export function nearestFolder(folder: string): string {
  return existsSync(folder) ? folder : nearestFolder(path.dirname(folder));
}

/** An addition to the reason of a failure: empty unless the disk is full. */
export function fullDiskText(home: string): string {
  try {
    const free = freeBytes(home);
    return free < fullBelowBytes
      ? `. The disk of ${home} is full (${Math.floor(free / 1024 ** 2)} MiB free): free some space, ` +
          'it then continues automatically'
      : '';
  } catch {
    return '';
  }
}
