import { inParallel } from '../../adapters/data-engine/prediction-log/in-parallel.js';
import { readLogDay, whileObjectsMove } from '../../adapters/data-engine/prediction-log/log-day.js';
import { recordRetentionRun } from '../../db/retention-runs.js';
import { recordCompactionDays } from '../../db/serving/compaction-days.js';
import { PerdureError } from '../../domain/errors.js';
import { environmentSchema, modelNameSchema, type Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import { inTurn, isClosed, isLookedAt } from '../../domain/serving/log-compaction.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import {
  compactPredictions,
  hasWork,
  type Compacted,
  type CompactionDeps,
  type LogOfDay,
} from './compact-predictions.js';
import { indexLabels } from './index-labels.js';

/** A day of a log that has something to merge; without an environment it is the labels'. */
export interface DayToCompact {
  environment: Environment | null;
  model: string;
  day: string;
}

/** What a pass takes on; the next finds the rest. */
const daysMax = 60;
/** Days whose waiting is written down, for `perdure doctor`. */
const recordedMax = 1_000;
const listingsMax = 8;

/** Merges what gateways shipped on days that are over. Deletes nothing that a merged object does not hold. */
export function createCompactionActivities({
  db,
  store,
  config,
}: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  const depsOf = (signal: AbortSignal, report: (progress: string) => void): CompactionDeps => ({
    ...{ store, home: config.home, now: new Date(), signal, report },
  });
  return {
    /** Days to compact, the logs in turn. */
    findDaysToCompact: (): Promise<{ days: DayToCompact[]; more: boolean }> =>
      withHeartbeat(async (signal, report) => {
        const now = new Date();
        const lists: DayToCompact[][] = [];
        for (const log of await logsIn(store)) {
          signal.throwIfAborted();
          report(`${log.environment ?? 'labels'} of ${log.model}`);
          const days = (await closedDays(store, log, now)).filter((day) => isLookedAt(day, now));
          const found = await inParallel(days, listingsMax, async (day) =>
            (await isOpen(log, day, now)) ? [day] : [],
          );
          lists.push(found.flat().map((day) => ({ ...log, day })));
        }
        const days = inTurn(lists, daysMax);
        await recordCompactionDays(db, lists.flat().slice(0, recordedMax).map(nameOf));
        await recordRetentionRun(db, 'log-compaction', {});
        return { days, more: lists.flat().length > days.length };
      }),

    /** One day of one log, or a bounded part of it. */
    compactDay: ({ environment, model, day }: DayToCompact): Promise<Compacted> =>
      withHeartbeat(async (signal, report) => {
        const done = await whileObjectsMove(async () => {
          const deps = depsOf(signal, report);
          if (environment === null) return indexLabels(deps, { model, day });
          return compactPredictions(deps, { environment, model, day }).catch(unlessOthersDid);
        });
        await recordRetentionRun(db, 'log-compaction', done.merged > 0 ? { objects: done.merged } : {});
        return done;
      }),
  };

  async function isOpen({ environment, model }: Omit<DayToCompact, 'day'>, day: string, now: Date): Promise<boolean> {
    if (environment === null) return (await store.list(objectKeys.labelsOfDay(model, day))).length > 0;
    const read = () => readLogDay(store, objectKeys.predictionsOfDay(environment, model, day));
    return hasWork(await whileObjectsMove(read), now);
  }
}

/** As people call it. */
const nameOf = ({ environment, model, day }: DayToCompact) => ({ log: `${environment ?? 'labels'} of ${model}`, day });

/** Another one has put the next manifest: its day is merged, and this one's parts count nowhere. */
function unlessOthersDid(error: unknown): Compacted {
  if (!(error instanceof PerdureError && error.code === 'state/conflict')) throw error;
  return { merged: 0, parts: 0, rows: 0, removed: 0, more: true };
}

type Store = Pick<ActivityDependencies['store'], 'list' | 'listFolders'>;

/** Every log that there is, of models that are gone too. */
async function logsIn(store: Store): Promise<Omit<DayToCompact, 'day'>[]> {
  const namesIn = async (prefix: string, schema: typeof modelNameSchema) =>
    (await store.listFolders(prefix)).flatMap((folder) => schema.safeParse(lastOf(folder)).data ?? []);
  const modelsIn = (prefix: string) => namesIn(prefix, modelNameSchema);
  const logs = (await modelsIn('labels/')).map((model) => ({ environment: null as Environment | null, model }));
  for (const environment of await namesIn(objectKeys.predictionLogs(), environmentSchema))
    logs.push(...(await modelsIn(`predictions/${environment}/`)).map((model) => ({ environment, model })));
  return logs.sort((left, right) => (left.model < right.model ? -1 : 1));
}

async function closedDays(
  store: Store,
  { environment, model }: Omit<DayToCompact, 'day'>,
  now: Date,
): Promise<string[]> {
  const prefix = environment === null ? objectKeys.labelsOf(model) : objectKeys.predictionsOf(environment, model);
  const days = (await store.listFolders(prefix)).flatMap(
    (folder) => /\/day=(\d{4}-\d{2}-\d{2})\/$/.exec(folder)?.[1] ?? [],
  );
  return days.filter((day) => isClosed(day, now)).reverse();
}

const lastOf = (folder: string): string => folder.split('/').at(-2) ?? '';

export type CompactionActivities = ReturnType<typeof createCompactionActivities>;
export type { Compacted, LogOfDay };
