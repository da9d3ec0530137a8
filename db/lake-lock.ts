import { sql } from 'drizzle-orm';
import type { Database } from './connect.js';

/** Runs `work` while nobody else changes the lake below this prefix, in whichever process. */
export async function withLakeLock<T>(db: Database, prefix: string, work: () => Promise<T>): Promise<T> {
  return db.orm.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${prefix}, 7433))`);
    return work();
  });
}
