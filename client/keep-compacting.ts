import { compactionIds } from '../domain/ids.js';
import type { TemporalHandle } from './connect.js';
import { keepRunning, keptRunning, type PerpetualWorkflow } from './perpetual-workflow.js';

const compaction: PerpetualWorkflow = { type: 'compactLogs', ids: compactionIds, note: 'keeps logs compacted' };

/** Has Temporal keep compaction running: what merges the logs of days that are over. */
export const ensureCompaction = (temporal: Pick<TemporalHandle, 'client' | 'config'>): Promise<void> =>
  keepRunning(temporal, compaction);

/** Whether it runs, or is about to. */
export const compactionRuns = (client: TemporalHandle['client']): Promise<boolean> => keptRunning(client, compaction);
