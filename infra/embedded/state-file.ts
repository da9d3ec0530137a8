import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * Replaces a small file whole, or leaves the one that was there: a full disk and a kill never leave half of it. One
 * that says the same already is not touched, so that what runs can be started again on a full disk.
 */
export function writeStateFile(file: string, text: string, mode = 0o644): void {
  if (textOf(file) === text) return;
  const fresh = `${file}.new`;
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    writeFileSync(fresh, text, { mode });
    chmodSync(fresh, mode);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
