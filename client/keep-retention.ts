import { retentionIds } from '../domain/ids.js';
import type { TemporalHandle } from './connect.js';
import { keepRunning, keptRunning, type PerpetualWorkflow } from './perpetual-workflow.js';

const retention: PerpetualWorkflow = { type: 'retain', ids: retentionIds, note: 'keeps retention running' };

/** Has Temporal keep retention running: what rolls up counts and removes what is no longer kept. */
export const ensureRetention = (temporal: Pick<TemporalHandle, 'client' | 'config'>): Promise<void> =>
  keepRunning(temporal, retention);

/** Whether it runs, or is about to. */
export const retentionRuns = (client: TemporalHandle['client']): Promise<boolean> => keptRunning(client, retention);
