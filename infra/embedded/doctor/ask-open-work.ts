import { connectTemporal } from '../../../client/connect.js';
import { connectDatabase } from '../../../db/connect.js';
import type { Check } from '../../../oversight/check.js';
import { openWork, unanswered } from '../../../oversight/open-work.js';
import type { TemporalConfig } from '../../../temporal.config.js';

/** Asks the servers themselves, whether the control API lives or not. */
export async function openWorkChecks(databaseUrl: string, temporal: TemporalConfig): Promise<Check[]> {
  const db = connectDatabase(databaseUrl, { max: 2, statementTimeoutMs: 5_000 });
  try {
    const handle = await connectTemporal(temporal);
    try {
      return (await openWork(db, handle)).checks;
    } finally {
      await handle.close();
    }
  } catch (error) {
    return unanswered(error).checks;
  } finally {
    await db.close();
  }
}
