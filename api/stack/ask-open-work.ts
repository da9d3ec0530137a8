import type { Database } from '../../db/connect.js';
import { openWork, unanswered, type OpenWork } from '../../oversight/open-work.js';
import type { TemporalLink } from '../temporal-connection.js';

/** Of a hundred models it takes a second; then the servers do not answer. */
const giveUpMs = 20_000;

/** What waits and what is stuck, or why it could not be asked. Never throws. */
export const askOpenWork = (db: Database, temporal: TemporalLink): Promise<OpenWork> =>
  temporal
    .use((handle) => handle.client.withDeadline(Date.now() + giveUpMs, () => openWork(db, handle)))
    .catch(unanswered);
