import { PerdureError } from '../../domain/errors.js';
import type { LakeStore } from '../deps.js';

/** An object's content as UTF-8; undefined when there is no such object. */
export async function objectText(objects: LakeStore, key: string): Promise<string | undefined> {
  try {
    return Buffer.from(await objects.get(key)).toString('utf8');
  } catch (error) {
    if (error instanceof PerdureError && error.code === 'not-found') return undefined;
    throw error;
  }
}
