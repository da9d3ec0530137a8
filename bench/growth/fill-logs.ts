import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compactPredictions, type CompactionDeps } from '../../activities/serving/compact-predictions.js';
import { indexLabels } from '../../activities/serving/index-labels.js';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { objectKeys } from '../../domain/object-keys.js';
import { graceMs } from '../../domain/serving/log-compaction.js';
import type { LogKind } from '../../domain/serving/prediction-log-columns.js';
import { segmentToParquet } from '../../serving/prediction-log/segment-to-parquet.js';
import { inParallel } from './fill-bucket.js';
import { modelName, modelNames, type GrowthShape } from './shape.js';

const environment = 'production';
const dayMs = 24 * 3_600_000;
/** Of the gateway process that answered: one for all models, as it is. */
const bootId = '9f0e7a11';
const labelledAfterMs = 2 * dayMs;

/** The days whose logs are not merged yet: those that the stack finds when it starts. */
const openDays = 2;
/** Merging at a time: each has a data engine. */
const compactionsMax = 4;

/**
 * The prediction log of one model, every day in two objects, its labels two days later; and of every other model the
 * first day, which a search for a prediction of that day has to tell apart. Written as gateways ship it, and days that
 * are over are compacted as the product compacts them.
 * @returns the id of a prediction of the first day
 */
export async function fillLogs(store: CompactionDeps['store'], shape: GrowthShape): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-growth-logs-'));
  const asked = modelName(shape, shape.models);
  const first = firstDayMs(shape);
  const days: number[] = [];
  for (let at = first; at < shape.to.getTime(); at += dayMs) days.push(at);
  try {
    await inParallel(days, async (at) => {
      const rows = rowsOf(shape, asked, at);
      const half = Math.ceil(rows.length / 2);
      await ship(store, folder, { kind: 'predictions', model: asked, at, rows: rows.slice(0, half) });
      if (half < rows.length)
        await ship(store, folder, { kind: 'predictions', model: asked, at: at + 60_000, rows: rows.slice(half) });
      const labels = rows.map(({ prediction_id, model, label }) => ({
        ...{ prediction_id, model, label },
        ...{ observed_at: iso(at + labelledAfterMs), received_at: iso(at + labelledAfterMs) },
      }));
      if (at + labelledAfterMs < shape.to.getTime())
        await ship(store, folder, { kind: 'labels', model: asked, at: at + labelledAfterMs, rows: labels });
    });
    const others = modelNames(shape).filter((model) => model !== asked);
    await inParallel(others, (model) =>
      ship(store, folder, { kind: 'predictions', model, at: first, rows: rowsOf(shape, model, first) }),
    );
    const compacted = [...others, ...days.slice(0, -openDays)];
    await inParallel(
      compacted,
      (one) =>
        compact(
          { store, home: folder, now: new Date() },
          typeof one === 'number' ? { model: asked, at: one } : { model: one, at: first },
        ),
      compactionsMax,
    );
    return rowsOf(shape, asked, first)[0]?.prediction_id ?? '';
  } finally {
    // Others of the same round may still write when one has failed.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** A day's predictions and the labels that came on it; what was merged goes as it does after the grace. */
async function compact(given: CompactionDeps, { model, at }: { model: string; at: number }): Promise<void> {
  const day = iso(at).slice(0, 10);
  // A home of its own: work folders of a process share a parent, which each takes away when it finds it empty.
  const deps = { ...given, home: path.join(given.home, `${model}-${day}`) };
  await compactPredictions(deps, { environment, model, day });
  await compactPredictions({ ...deps, now: new Date(deps.now.getTime() + 2 * graceMs) }, { environment, model, day });
  await indexLabels(deps, { model, day });
}

const iso = (at: number) => new Date(at).toISOString();

/** When the first version serves, and a year ago at most: what is older may be removed by retention. */
function firstDayMs({ from, to, versions }: GrowthShape): number {
  const served = from.getTime() + (to.getTime() - from.getTime()) / versions;
  return Math.ceil(Math.max(served, to.getTime() - 365 * dayMs) / 3_600_000) * 3_600_000;
}

function rowsOf(shape: GrowthShape, model: string, at: number) {
  const place = modelNames(shape).indexOf(model);
  const count = Math.max(1, shape.perDay);
  const version = Math.max(
    1,
    Math.floor(((at - shape.from.getTime()) / (shape.to.getTime() - shape.from.getTime())) * shape.versions),
  );
  return Array.from({ length: count }, (_, index) => ({
    prediction_id: `p-${(at + index).toString(36)}-${bootId}-${(place * count + index + 1).toString(36)}`,
    ...{
      request_id: null,
      row: 0,
      at: iso(at + index),
      environment,
      model,
      version,
      epoch: 1,
      role: 'split',
      chosen_by: null,
    },
    ...{ key_hash: null, probability: 0.25, label: false, latency_ms: 1.5 },
    features: {
      carrier: 'UA',
      origin: 'EWR',
      dest: 'IAH',
      dow: 1,
      sched_dep_min: 315,
      sched_arr_min: 499,
      distance: 1400,
      dep_delay: 2,
    },
  }));
}

async function ship(
  store: Pick<ObjectStore, 'put'>,
  folder: string,
  { kind, model, at, rows }: { kind: LogKind; model: string; at: number; rows: readonly object[] },
): Promise<void> {
  const name = `${iso(at).replaceAll(/[-:]|\.\d+/g, '')}-${bootId}-000001`;
  const [segment, parquet] = [
    path.join(folder, `${model}-${kind}-${name}`),
    path.join(folder, `${model}-${kind}-${name}.parquet`),
  ];
  await writeFile(segment, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await segmentToParquet(kind, segment, parquet, folder);
  const day = iso(at).slice(0, 10);
  const key =
    kind === 'predictions'
      ? objectKeys.predictions(environment, model, day, name)
      : objectKeys.labels(model, day, name);
  await store.put(key, await readFile(parquet));
  await Promise.all([rm(segment), rm(parquet)]);
}
