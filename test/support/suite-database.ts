import { afterAll, beforeAll } from 'vitest';
import { connectDatabase, type ConnectOptions, type Database } from '../../db/connect.js';
import { createTestDatabase } from './test-database.js';

/**
 * A database for all tests of a file, opened before the first and dropped after the last.
 *
 *     let db: Database;
 *     suiteDatabase((opened) => ({ db } = opened));
 */
export function suiteDatabase(
  opened: (suite: { db: Database; url: string; ownerUrl: string }) => unknown,
  options: ConnectOptions = { max: 8 },
): void {
  let close: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    const { url, ownerUrl, drop } = await createTestDatabase();
    const db = connectDatabase(url, options);
    close = async () => {
      await db.close();
      await drop();
    };
    opened({ db, url, ownerUrl });
  });
  afterAll(() => close?.());
}
