import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createPlace, type Place } from '../support/place.js';
import { pollUntil } from '../support/poll-until.js';
import { perdure } from '../support/run-program.js';

/**
 * Each model under `models/`, from its own data to an answer, by the commands that a person would type. The first
 * version of each goes into production by itself once its gates pass.
 */

let place: Place;
let folder: string;

/** Runs a command with `--json`. @throws with what it wrote when it does not succeed. */
async function command(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await perdure(place, ...args, '--json');
  expect(code, `perdure ${args.join(' ')}\n${stdout}\n${stderr}`).toBe(0);
  return JSON.parse(stdout);
}

async function prepare(model: string, ...args: string[]): Promise<string> {
  const { projectRoot } = place.config;
  const out = path.join(folder, model);
  const script = path.join(projectRoot, 'models', model, 'prepare.py');
  await promisify(execFile)(path.join(projectRoot, '.tools/trainers/bin/python'), [script, out, ...args]);
  return out;
}

const answerSchema = z.looseObject({
  rows: z.array(
    z.looseObject({
      label: z.unknown().optional(),
      value: z.number().optional(),
      quantiles: z.array(z.number()).optional(),
      score: z.number().optional(),
    }),
  ),
});
const versionSchema = z.looseObject({ metrics: z.record(z.string(), z.number().nullable()) });

/** Trains, waits until the first version serves, and asks it. @param make another way to a version than training */
async function serve(model: string, rows: Record<string, unknown>[], make = ['train', model, '--wait']) {
  await command(...make);
  const file = path.join(folder, `${model}.json`);
  writeFileSync(file, JSON.stringify(rows));
  // The route is written a moment before gateways serve it.
  const { rows: answers } = await pollUntil(`${model}@1 answers`, 180_000, async () => {
    const { code, stdout } = await perdure(place, 'predict', model, '--file', file, '--json');
    return code === 0 ? answerSchema.parse(JSON.parse(stdout)) : undefined;
  });
  const { metrics } = versionSchema.parse(await command('versions', 'show', `${model}@1`));
  return { metrics, answers };
}

beforeAll(async () => {
  place = await createPlace('examples');
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-examples-'));
  const up = await perdure(place, 'up', '--detach');
  expect(up.code, up.stderr).toBe(0);
  await command('apply');
}, 300_000);
afterAll(async () => {
  await perdure(place, 'down');
  place.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('the models that come with the product', () => {
  it('arrival-delay: minutes late with an interval, a partition a day of New York, over the change to summer time', async () => {
    const data = await prepare('arrival-delay', '--from', '2013-03-01', '--to', '2013-03-14');
    for (let day = 1; day <= 14; day += 1) {
      const partition = `2013-03-${String(day).padStart(2, '0')}`;
      for (const table of ['flights', 'weather'])
        await command(
          'data',
          'put',
          'arrival-delay',
          table,
          `${data}/${table}-${partition}.parquet`,
          '--partition',
          partition,
        );
    }
    await command('data', 'put', 'arrival-delay', 'planes', `${data}/planes.parquet`);
    const flight = {
      carrier: 'UA',
      origin: 'EWR',
      dest: 'IAH',
      sched_dep_min: 315,
      sched_arr_min: 495,
      distance: 1400,
    };
    const { metrics, answers } = await serve('arrival-delay', [
      { ...flight, dep_delay: 0, visib: 10, wind_speed: 8, precip: 0, seats: 150 },
      { ...flight, dep_delay: 120, visib: 10, wind_speed: 8, precip: 0, seats: null },
    ]);
    expect(metrics['mae']).toBeLessThan(20);
    expect(metrics['intervalCoverage']).toBeGreaterThan(0.6);
    const [onTime, late] = answers;
    expect(late?.value).toBeGreaterThan((onTime?.value ?? NaN) + 60);
    const [low, high] = late?.quantiles ?? [];
    expect(low).toBeLessThan(high ?? NaN);
  }, 600_000);

  it('delay-class: one of three classes, a partition a week', async () => {
    const data = await prepare('arrival-delay', '--from', '2013-03-04', '--to', '2013-04-07', '--cadence', 'week');
    for (const week of [10, 11, 12, 13, 14])
      await command(
        'data',
        'put',
        'delay-class',
        'flights',
        `${data}/flights-2013-W${week}.parquet`,
        '--partition',
        `2013-W${week}`,
      );
    const flight = { carrier: 'UA', origin: 'EWR', dest: 'IAH', sched_dep_hour: 5, distance: 1400 };
    const { metrics, answers } = await serve('delay-class', [
      { ...flight, dep_delay: -5 },
      { ...flight, dep_delay: 150 },
    ]);
    expect(answers.map(({ label }) => label)).toEqual(['on-time', 'very-late']);
    expect(metrics['f1:very-late']).toBeGreaterThan(0.5);
  }, 600_000);

  it('movie-ranking: finds more of what users will like than popularity does', async () => {
    const data = await prepare('movie-ranking');
    for (const month of ['1997-11', '1997-12', '1998-01', '1998-02', '1998-03'])
      await command(
        'data',
        'put',
        'movie-ranking',
        'candidates',
        `${data}/candidates-${month}.parquet`,
        '--partition',
        month,
      );
    const film = {
      mean_stars: 3.5,
      release_year: 1997,
      item_similarity: 0.1,
      co_liked: 1,
      genre_affinity: 0.2,
      user_likes: 20,
    };
    const { metrics, answers } = await serve('movie-ranking', [
      { ...film, likes: 300, likes_30d: 80 },
      { ...film, likes: 0, likes_30d: 0 },
    ]);
    // Popularity by itself on the same users: 0.168 (NDCG 0.150).
    expect(metrics['recallAtK@10']).toBeGreaterThan(0.25);
    expect(metrics['ndcg@10']).toBeGreaterThan(0.25);
    const [popular, unknown] = answers;
    expect(popular?.score).toBeGreaterThan(unknown?.score ?? NaN);
  }, 600_000);

  it('tumour: a small table without partitions, cross-validated', async () => {
    const data = await prepare('tumour');
    await command('data', 'put', 'tumour', 'samples', `${data}/samples.parquet`);
    const { default: definition } = await import('../../models/tumour/model.js');
    const names = Object.keys(definition.contract.features);
    const row = (value: number) => Object.fromEntries(names.map((name) => [name, value]));
    const { metrics, answers } = await serve('tumour', [row(0.1)]);
    expect(metrics['rocAuc']).toBeGreaterThan(0.98);
    expect(answers.map(({ label }) => label)).toEqual([0]);
  }, 600_000);

  it('customer-value: a trainer of its own, with an environment made from its own lock', async () => {
    const data = await prepare('customer-value');
    await command('data', 'put', 'customer-value', 'customers', `${data}/customers.parquet`);
    const once = { orders: 1, spent: 12, largest_order: 12, orders_90d: 0, spent_90d: 0 };
    const often = { orders: 20, spent: 2000, largest_order: 300, orders_90d: 6, spent_90d: 700 };
    const { metrics, answers } = await serve('customer-value', [
      { ...once, days_since_first: 300, days_since_last: 300 },
      { ...often, days_since_first: 300, days_since_last: 5 },
    ]);
    expect(metrics['r2']).toBeGreaterThan(0.2);
    const [little, much] = answers;
    expect(much?.value).toBeGreaterThan((little?.value ?? NaN) + 50);
  }, 600_000);

  it('iris-species: made in a notebook, imported, and served as the notebook answers', async () => {
    const data = await prepare('iris-species');
    await command('data', 'put', 'iris-species', 'flowers', `${data}/flowers.parquet`);
    const folder = path.join(place.config.projectRoot, 'models/iris-species');
    const brought = ['--map', `${folder}/map.json`, '--declare', `${folder}/lineage.json`];
    const { metrics, answers } = await serve(
      'iris-species',
      [
        { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 },
        { sepal_length: 6.5, sepal_width: 3.0, petal_length: 5.8, petal_width: 2.2 },
      ],
      ['versions', 'import', 'iris-species', `${folder}/notebook.onnx`, ...brought],
    );
    expect(answers.map(({ label }) => label)).toEqual(['setosa', 'virginica']);
    expect(metrics['accuracy']).toBeGreaterThan(0.9);
  }, 600_000);
});
