import type { Cause } from '../../domain/cause.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import type { Environment } from '../../domain/names.js';
import type { Partition } from '../../domain/partition.js';
import { closeRun, openRun, type RunEnd } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';

/** The run's row: keyed by run id, so repeating changes nothing. */
export function createRunActivities({ db }: Pick<ActivityDependencies, 'db'>) {
  return {
    async openRun(run: {
      runId: string;
      workflowId: string;
      model: string;
      definitionSha256: string;
      cause: Cause;
      until: Partition | null;
      /** Both absent in runs of version 0.1.0. */
      priority?: number;
      scheduledFor?: string | null;
      /** Both absent in runs of before, which took all of production's data. */
      environment?: Environment;
      sample?: SampleOrder | null;
    }): Promise<void> {
      const { runId: id, scheduledFor, ...rest } = run;
      await openRun(db, { id, ...rest, scheduledFor: scheduledFor ? new Date(scheduledFor) : null });
    },

    async closeRun(end: RunEnd): Promise<void> {
      await closeRun(db, end);
    },
  };
}

export type RunActivities = ReturnType<typeof createRunActivities>;
