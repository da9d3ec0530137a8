import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { indexLabels } from '../../../activities/serving/index-labels.js';
import { compactPredictions } from '../../../activities/serving/compact-predictions.js';
import { createServedOutcomes } from '../../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { ObjectStore } from '../../../adapters/object-store/object-store.js';
import { contractSchema, type Contract } from '../../../domain/data/contract.js';
import { judgedMetricSchema, metricName } from '../../../domain/rollout/judge/judge-policy.js';
import { metricSpecOf, type MeanMetric } from '../../../domain/rollout/judge/metric-spec.js';
import { objectKeys } from '../../../domain/object-keys.js';
import { labelReader, type LabelValue } from '../../../domain/serving/received-label.js';
import type { ClassName, TaskName } from '../../../domain/tasks/task.js';
import { answerOf, answerShape } from '../../../serving/protocol/answer-shape.js';
import { logPrediction } from '../../../serving/prediction-log/prediction-log.js';
import { segmentToParquet } from '../../../serving/prediction-log/segment-to-parquet.js';
import { Spool } from '../../../serving/prediction-log/spool.js';
import { openTestBucket } from './test-bucket.js';

// A day is shipped, merged, indexed and read twice over in each: on a busy machine that takes a while.
vi.setConfig({ testTimeout: 240_000 });

let store: ObjectStore;
let home: string;
beforeAll(async () => {
  store = await openTestBucket();
  home = await mkdtemp(path.join(tmpdir(), 'perdure-losses-'));
});
afterAll(async () => {
  store.close();
  await rm(home, { recursive: true, force: true });
});

/** Noon, three days ago: over, so that it is merged. */
const noon = new Date(Math.floor(Date.now() / 86_400_000 - 3) * 86_400_000 + 43_200_000);
const day = noon.toISOString().slice(0, 10);
const segment = `${noon.toISOString().replaceAll(/[-:]|\.\d+/g, '')}-0badcafe-000001`;
const environment = 'production' as const;

interface Case {
  task: TaskName;
  contract: object;
  classes?: ClassName[];
  /** Scores of a row, and what really happened, as callers send it. */
  rows: [number[], LabelValue][];
  metrics: object[];
}

/** Predictions of version 1 and their labels, as a gateway ships them. */
async function ship(model: string, { task, contract: more, classes, rows }: Case): Promise<Contract> {
  const contract = contractSchema.parse({
    ...{ entity: ['id', 'g'], eventTime: 'at', features: { x: { type: 'number' } } },
    ...more,
  });
  const shape = answerShape({ task, contract }, classes);
  const read = labelReader({ task, contract }, classes);
  const folder = path.join(home, model);
  await mkdir(folder);
  const limits = { segmentBytesMax: 1e9, segmentAgeMaxMs: 1e9, bytesMax: 1e9, flushEveryMs: 1e6 };
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const spool = new Spool({
    folder: path.join(folder, 'spool'),
    bootId: '0badcafe',
    whenFull: 'refuse',
    observer,
    ...limits,
  });
  await spool.start();
  const ids = rows.map((_, at) => `p-${noon.getTime().toString(36)}-0badcafe-${(at + 1).toString(36)}`);
  for (const [at, [scores]] of rows.entries())
    logPrediction(spool, {
      ...{ predictionId: ids[at] ?? '', requestId: undefined, at: noon, environment, model, version: 1, epoch: 1 },
      ...{ role: 'split', cause: undefined, keyDigest: undefined, latencyMs: 1 },
      ...{ features: [{ name: 'x', type: 'number' as const }], rows: { count: 1, columns: [[at]] } },
      answer: answerOf(shape, { values: Float32Array.from(scores), width: scores.length }),
    });
  await spool.close();
  const [name = ''] = await readdir(path.join(folder, 'spool', model));
  const [predictions, labels, lines] = ['predictions', 'labels', 'lines'].map((one) => path.join(folder, one)) as [
    string,
    string,
    string,
  ];
  await segmentToParquet('predictions', path.join(folder, 'spool', model, name), predictions, folder);
  await store.put(objectKeys.predictions(environment, model, day, segment), { file: predictions });
  const time = noon.toISOString();
  const sent = rows.map(([, label], at) => {
    const one = read(label);
    if ('problem' in one) throw new Error(one.problem);
    return { prediction_id: ids[at], model, [one.column]: one.value, observed_at: time, received_at: time };
  });
  await writeFile(lines, sent.map((line) => JSON.stringify(line)).join('\n'));
  await segmentToParquet('labels', lines, labels, folder);
  await store.put(objectKeys.labels(model, day, segment), { file: labels });
  return contract;
}

/** Means in the metrics' own units, and how many predictions they are of. */
async function judged(model: string, one: Case, contract: Contract): Promise<Record<string, [number, number]>> {
  const metrics = one.metrics.map((metric) => judgedMetricSchema.parse(metric) as MeanMetric);
  const classes = one.classes === undefined ? {} : { classes: new Map([[1, one.classes]]) };
  const [counted] = await createServedOutcomes({ store, config: { home } }).count({
    ...{ environment, model, epochFrom: 1, epochTo: 1, from: noon, to: noon, contract, task: one.task, metrics },
    ...classes,
  });
  expect(counted).toMatchObject({ predictions: one.rows.length, labelled: one.rows.length });
  return Object.fromEntries(
    metrics.map((metric) => {
      const { origin, scale, sampleOf } = metricSpecOf(metric);
      const { count, sum } = sampleOf({
        requests: 0,
        errors: 0,
        latency: [],
        scores: [],
        samples: counted?.samples ?? {},
      });
      return [metricName(metric), [origin + (scale * sum) / count, count]];
    }),
  );
}

const quality = (loss: string, more: object = {}) => ({ metric: 'quality', loss, margin: 0.001, harm: 0.1, ...more });
const value = (name: string, from: string, min: number, max: number) => ({
  ...{ metric: 'value', name, from, min, max, direction: 'lower-is-better', margin: 0.001, harm: 0.1 },
});

const classesOfRows: Case['rows'] = [
  [[0.5, 0.25, 0.25], 'red'],
  [[0.125, 0.75, 0.125], 'blue'],
  [[0, 1, 0], 'red'],
  [[0.25, 0.25, 0.5], 'blue'],
];
/** By hand: halved squares 0.1875, 0.671875, 1 and 0.1875; the chance of the class 1/2, 1/8, 0 and 1/2. */
const ofClasses = {
  'quality:error': [0.5, 4],
  'quality:brier': [(0.1875 + 0.671875 + 1 + 0.1875) / 4, 4],
  'quality:logLoss': [(Math.log(2) + Math.log(8) + 10 + Math.log(2)) / 4, 4],
  'value:sure': [(0.25 + 0.75 + 1 + 0.25) / 4, 4],
  'value:reds': [0.25, 4],
};
const classMetrics = [
  ...['error', 'brier', 'logLoss'].map((loss) => quality(loss)),
  value('sure', 'probability_1', 0, 1),
  value('reds', `CASE WHEN predicted = 'red' THEN 1 ELSE 0 END`, 0, 1),
];

const cases: Record<string, [Case, Record<string, number[]>]> = {
  multiclass: [
    {
      task: 'multiclass',
      contract: { label: { name: 'y', type: 'string', classes: ['red', 'green', 'blue'] } },
      ...{ rows: classesOfRows, metrics: classMetrics },
    },
    ofClasses,
  ],
  'multiclass-trained': [
    {
      ...{ task: 'multiclass', contract: { label: { name: 'y', type: 'string' } }, classes: ['red', 'green', 'blue'] },
      ...{ rows: classesOfRows, metrics: classMetrics },
    },
    ofClasses,
  ],
  regression: [
    {
      task: 'regression',
      contract: { label: { name: 'y', type: 'number' }, output: { quantiles: [0.1, 0.9] } },
      // Errors of 2, −1, and 100, which counts as 10.
      rows: [
        [[5, 1, 9], 3],
        [[-1, -4, 2], 0],
        [[100, 50, 150], 0],
      ],
      metrics: [
        quality('absoluteError', { max: 10 }),
        quality('squaredError', { max: 10 }),
        quality('pinball', { quantile: 0.9, max: 10 }),
        { metric: 'outcome', direction: 'lower-is-better', min: 0, max: 4 },
        value('worth', 'value', 0, 10),
        value('low', 'quantile_0', -10, 10),
      ],
    },
    {
      'quality:absoluteError': [(2 + 1 + 10) / 3, 3],
      'quality:squaredError': [(4 + 1 + 10) / 3, 3],
      // Above the label by 6, 2 and 150: a tenth of each, and no more than 10.
      'quality:pinball@0.9': [(0.6 + 0.2 + 10) / 3, 3],
      outcome: [1, 3],
      'value:worth': [(5 + 0 + 10) / 3, 3],
      'value:low': [(1 - 4 + 10) / 3, 3],
    },
  ],
  ranking: [
    {
      ...{ task: 'ranking', contract: { group: 'g', label: { name: 'y', type: 'integer' } } },
      rows: [
        [[1.5], 3],
        [[-0.5], 0],
      ],
      metrics: [value('liking', 'score', -2, 2)],
    },
    { 'value:liking': [0.5, 2] },
  ],
};

test.each(Object.entries(cases))(
  '%s is judged by its own losses, numbers by hand, as shipped and as merged and indexed',
  async (name, [one, expected]) => {
    const model = `losses-${name}`;
    const contract = await ship(model, one);
    const closeTo = Object.fromEntries(
      Object.entries(expected).map(([metric, [mean = NaN, count]]) => [metric, [expect.closeTo(mean, 6), count]]),
    );
    expect(await judged(model, one, contract)).toEqual(closeTo);
    const deps = { store, home, now: new Date(Date.now() + 3_600_000) };
    expect(await compactPredictions(deps, { environment, model, day })).toMatchObject({ merged: 1, parts: 1 });
    expect(await indexLabels(deps, { model, day })).toMatchObject({ merged: 1, rows: one.rows.length });
    expect(await judged(model, one, contract)).toEqual(closeTo);
  },
);
