import { reconcilerIds } from '../domain/ids.js';
import type { TemporalHandle } from './connect.js';
import { keepRunning, keptRunning, type PerpetualWorkflow } from './perpetual-workflow.js';

const reconciler: PerpetualWorkflow = { type: 'reconcile', ids: reconcilerIds, note: 'keeps the reconciler running' };

/** Has Temporal keep the reconciler running. */
export const ensureReconciler = (temporal: Pick<TemporalHandle, 'client' | 'config'>): Promise<void> =>
  keepRunning(temporal, reconciler);

/** Whether it runs, or is about to. */
export const reconcilerRuns = (client: TemporalHandle['client']): Promise<boolean> => keptRunning(client, reconciler);
