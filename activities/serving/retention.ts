import { Context } from '@temporalio/activity';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import type { Database } from '../../db/connect.js';
import { keptModels, recordRetentionRun, type KeptModel } from '../../db/retention-runs.js';
import { thinLookInputs } from '../../db/rollout/look-inputs.js';
import { countedEnvironments, removeOldCounts, removeOldRows } from '../../db/serving/expired-rows.js';
import { rollUpGrain, rollUpWindows } from '../../db/serving/roll-up-windows.js';
import { stillOpen } from '../../db/training/open-runs.js';
import { objectKeys } from '../../domain/object-keys.js';
import { firstDayKept, keptDays } from '../../domain/serving/retention.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';

/** What one call did. `more`: it stopped at its bound and is to be called again. */
export interface RetentionPass {
  removed: Record<string, number>;
  more: boolean;
}

/** Batches and objects a call at most: each call is a minute or so. */
const batchesMax = 200;
const objectsMax = 20_000;
const deletesAtOnce = 16;

/**
 * Rolls up what gateways counted and removes what nobody keeps. Every batch is one statement or one object, so that
 * repeating after a death goes on where it was.
 */
export function createRetentionActivities(
  { db, store }: Pick<ActivityDependencies, 'db' | 'store'>,
  now = () => new Date(),
) {
  return {
    /** Windows into minutes, minutes into hours, hours into days. */
    rollUpServingWindows: (): Promise<RetentionPass> =>
      withHeartbeat(async () => {
        const rolled = { windows: 0, minutes: 0, hours: 0 };
        let batches = 0;
        const all = async (name: keyof typeof rolled, batch: () => Promise<{ rolledUp: number; more: boolean }>) => {
          for (let more = true; more && batches < batchesMax; batches += 1) {
            Context.current().cancellationSignal.throwIfAborted();
            const done = await batch();
            rolled[name] += done.rolledUp;
            more = done.more;
          }
        };
        await all('windows', () => rollUpWindows(db));
        await all('minutes', () => rollUpGrain(db, 'minute'));
        await all('hours', () => rollUpGrain(db, 'hour'));
        return recordPass(db, 'serving-windows', rolled, batches >= batchesMax);
      }),

    /**
     * Silent gateways, old events, counts older than `monitoring.retentionDays`, and what looks of old rollouts saw.
     */
    removeOldRows: (): Promise<RetentionPass> =>
      withHeartbeat(async () => {
        const rows = await removeOldRows(db);
        let counts = 0;
        let { more } = rows;
        const environments = await countedEnvironments(db);
        for await (const kept of everyModel(db)) {
          for (const environment of environments) {
            const old = await removeOldCounts(db, { ...kept, environment });
            counts += old.removed;
            more ||= old.more;
          }
        }
        const looks = await thinLookInputs(db);
        const removed = { ...rows.removed, 'serving counts': counts, 'inputs of looks': looks.removed };
        return recordPass(db, 'old-rows', removed, more || looks.more);
      }),

    /**
     * Prediction logs and labels older than `monitoring.retentionDays`, whole days at a time, the oldest first; then
     * files that runs of a month ago handed from step to step.
     */
    removeOldLogs: (): Promise<RetentionPass> =>
      withHeartbeat(async (signal, report) => {
        const removed: Record<string, number> = { predictions: 0, labels: 0 };
        let left = objectsMax;
        const logged = await store.listFolders(objectKeys.predictionLogs());
        for await (const kept of everyModel(db)) {
          for (const { kind, prefix } of logPrefixes(logged, kept.model)) {
            for await (const keys of expiredLogObjects(store, prefix, firstDayKept(now(), kept.retentionDays))) {
              signal.throwIfAborted();
              report(`${prefix}: ${keys.length} objects`);
              await remove(keys);
              removed[kind] = (removed[kind] ?? 0) + keys.length;
              left -= keys.length;
              if (left <= 0) return recordPass(db, 'old-logs', removed, true);
            }
          }
        }
        const files = (await filesOfOldRuns()).slice(0, left);
        for (let from = 0; from < files.length; from += 1_000) {
          signal.throwIfAborted();
          report(`${objectKeys.runFiles()}: ${from} of ${files.length} objects`);
          await remove(files.slice(from, from + 1_000));
        }
        return recordPass(db, 'old-logs', { ...removed, 'files of runs': files.length }, files.length === left);
      }),
  };

  async function remove(keys: readonly string[]): Promise<void> {
    for (let from = 0; from < keys.length; from += deletesAtOnce)
      await Promise.all(keys.slice(from, from + deletesAtOnce).map((key) => store.delete(key)));
  }

  /** The key of a file names its run; a run that is open for so long may still read it. */
  async function filesOfOldRuns(): Promise<string[]> {
    const before = new Date(now().getTime() - keptDays.runFiles * 86_400_000).toISOString();
    const old = (await store.list(objectKeys.runFiles())).filter(({ modifiedAt }) => modifiedAt < before);
    const runOf = (key: string) => key.split('/')[1] ?? '';
    const open = await stillOpen(db, [...new Set(old.map(({ key }) => runOf(key)))]);
    return old.map(({ key }) => key).filter((key) => !open.has(runOf(key)));
  }
}

export type RetentionActivities = ReturnType<typeof createRetentionActivities>;

async function recordPass(
  db: Database,
  job: Parameters<typeof recordRetentionRun>[1],
  counted: Record<string, number>,
  more: boolean,
): Promise<RetentionPass> {
  const removed = Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
  await recordRetentionRun(db, job, removed);
  return { removed, more };
}

async function* everyModel(db: Database): AsyncGenerator<KeptModel> {
  for (let after = ''; ;) {
    const page = await keptModels(db, after);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.model;
  }
}

/** @param logged the folder of each environment that ever logged a prediction */
const logPrefixes = (logged: readonly string[], model: string) => [
  ...logged.map((folder) => ({ kind: 'predictions', prefix: `${folder}${model}/` })),
  { kind: 'labels', prefix: objectKeys.labelsOf(model) },
];

/**
 * The keys of each day of a log before the first that is kept, merged or not. A label comes after its prediction, so
 * that no kept prediction loses one.
 */
export async function* expiredLogObjects(
  store: Pick<ObjectStore, 'list' | 'listFolders'>,
  prefix: string,
  firstKept: string,
): AsyncGenerator<string[]> {
  for (const folder of await store.listFolders(prefix)) {
    if (folder.endsWith('/unreadable/')) {
      const old = (await store.list(folder)).filter(({ modifiedAt }) => modifiedAt.slice(0, 10) < firstKept);
      if (old.length > 0) yield old.map(({ key }) => key);
    }
    const day = /\/(?:day|predicted)=(\d{4}-\d{2}-\d{2})\/$/.exec(folder)?.[1];
    if (day === undefined || day >= firstKept) continue;
    yield (await store.list(folder)).map(({ key }) => key);
  }
}
