import { createHmac, timingSafeEqual } from 'node:crypto';
import { unkeyedDigest } from '../../domain/serving/murmur-hash.js';

/**
 * Stands for callers' keys in logs. Keyed with a secret of the installation: who reads the logs, or has a list of
 * customers, cannot find out whose a row is by trying names. Which version a key gets is another matter
 * (`domain/serving/route-choice.ts`), and the same everywhere.
 */
export class KeyDigests {
  constructor(private readonly secret: string) {}

  /** 32 hex digits. */
  of(key: string): string {
    return createHmac('sha256', this.secret).update(key, 'utf8').digest('hex').slice(0, 32);
  }

  /** Whether a row of the log is this key's; rows from before digests were keyed have 16 hex digits. */
  matches(key: string, logged: string): boolean {
    const digest = Buffer.from(logged.length === 16 ? unkeyedDigest(key) : this.of(key));
    const other = Buffer.from(logged);
    return digest.length === other.length && timingSafeEqual(digest, other);
  }
}
