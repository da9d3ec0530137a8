import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckSession, type DuckSession } from '../../../adapters/data-engine/duck-session.js';
import {
  measureOwnMetrics,
  ownMetricResamples,
  type OwnMetricsQuestion,
} from '../../../adapters/data-engine/own-metrics/measure-own-metrics.js';
import { readOwnMetric } from '../../../adapters/data-engine/own-metrics/own-metric-problems.js';
import { writeScoresFile } from '../../../adapters/data-engine/own-metrics/scores-file.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { regressionMeasurer } from '../../../domain/metrics/regression-measurer.js';
import { pairedBootstrap } from '../../../domain/metrics/paired-bootstrap.js';
import { seededRandom } from '../../../domain/statistics/random.js';

const rows = 2000;
const random = seededRandom(3);
const uniform = () => random.uint32() / 2 ** 32;
const labels = Float64Array.from({ length: rows }, () => Math.round(1000 * uniform()) / 10);
const values = labels.map((label) => label + 20 * (uniform() - 0.5));
const champion = labels.map((label) => label + 30 * (uniform() - 0.5));
const price = {
  task: 'regression' as const,
  contract: contractSchema.parse({
    ...{ entity: ['id'], eventTime: 'at', label: { name: 'y', type: 'number' } },
    features: { weight: { type: 'number' }, shop: { type: 'string' }, score: { type: 'number' } },
  }),
};

let folder: string;
let session: DuckSession;
let holdout: string;
const question = (metrics: Record<string, string>, more: Partial<OwnMetricsQuestion> = {}): OwnMetricsQuestion => ({
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, sql]) => [name, { sql, direction: 'lower-is-better' as const }]),
  ),
  model: price,
  scores: path.join(folder, 'scores.parquet'),
  holdout: [holdout],
  ...{ compared: true, places: [null], bootstrapRounds: 400, confidencePct: 95, seed: 5, onProgress: () => {} },
  ...more,
});
const fresh = () => openDuckSession({ folder, threads: 1 });
const measured = async (asked: OwnMetricsQuestion) => {
  const own = await fresh();
  try {
    return await measureOwnMetrics(own, asked);
  } finally {
    own.close();
  }
};

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-test-'));
  holdout = path.join(folder, 'holdout.parquet');
  session = await fresh();
  await session.run('CREATE TABLE given (y DOUBLE, weight FLOAT, shop VARCHAR)');
  const list = [...labels].map((label, row) => `(${label}, ${1 + (row % 3)}, '${row % 4 === 0 ? 'big' : 'small'}')`);
  await session.run(`INSERT INTO given VALUES ${list.join(', ')}`);
  await session.run(`COPY given TO '${holdout}' (FORMAT parquet)`);
  await writeScoresFile(path.join(folder, 'scores.parquet'), {
    units: Int32Array.from({ length: rows }, (_, row) => row),
    candidate: { outputs: { value: values }, predicted: null },
    champion: { outputs: { value: champion }, predicted: null },
    levels: { shop: Array.from({ length: rows }, (_, row) => (row % 4 === 0 ? 'big' : 'small')) },
  });
});
afterAll(async () => {
  session.close();
  await rm(folder, { recursive: true, force: true });
});

describe('metrics of a team', () => {
  it('measure what they say, with the intervals of the same bootstrap in TypeScript, the champion on the same draws', async () => {
    const [all] = await measured(question({ error: 'avg(abs(label - value))' }));
    const measurer = (scores: Float64Array) => regressionMeasurer({ labels, scores, width: 1 }, []);
    const [own, other] = [measurer(values), measurer(champion)];
    const direct = pairedBootstrap({ candidate: own, champion: other, resamples: 400, confidencePct: 95, seed: 5 });
    const { mae = NaN } = own.measure();
    expect(all?.measured.values.error).toBeCloseTo(mae, 9);
    expect(all?.measured.champion?.error).toBeCloseTo(other.measure().mae ?? NaN, 9);
    const width = (direct.candidate.mae?.high ?? 0) - (direct.candidate.mae?.low ?? 0);
    for (const end of ['low', 'high'] as const) {
      expect(
        Math.abs((all?.measured.intervals.error?.[end] ?? NaN) - (direct.candidate.mae?.[end] ?? NaN)),
      ).toBeLessThan(width / 6);
      expect(
        Math.abs((all?.measured.differences.error?.[end] ?? NaN) - (direct.differences.mae?.[end] ?? NaN)),
      ).toBeLessThan(width / 4);
    }
  });

  it('cover the true value about as often as they say', async () => {
    // A thousand small holdouts would take long: one holdout is cut into 40 of 50 rows.
    const truth = 5;
    let covered = 0;
    const parts = 40;
    const small = question({ error: 'avg(abs(label - value))' }, { compared: false, bootstrapRounds: 200 });
    const places = Array.from({ length: parts }, (_, part) => ({ feature: 'part', level: `p${part}` }));
    await writeScoresFile(path.join(folder, 'parts.parquet'), {
      units: Int32Array.from({ length: rows }, (_, row) => row),
      candidate: { outputs: { value: values }, predicted: null },
      champion: null,
      levels: { part: Array.from({ length: rows }, (_, row) => `p${row % parts}`) },
    });
    for (const { measured: found } of await measured({
      ...small,
      scores: path.join(folder, 'parts.parquet'),
      places,
    })) {
      const { low = NaN, high = NaN } = found.intervals.error ?? {};
      if (low <= truth && truth <= high) covered += 1;
    }
    // 95 % of 40 is 38; percentile intervals of 50 rows are a little narrow.
    expect(covered).toBeGreaterThanOrEqual(32);
  });

  it('read features, filters and levels, and are null where they give no number', async () => {
    const asked = question(
      {
        weighted: 'sum(weight * abs(label - value)) / sum(weight)',
        late: 'count(*) FILTER (WHERE value > label) / count(*) + 0 * avg(weight)',
        never: "avg(label) FILTER (WHERE shop = 'closed')",
        infinite: 'avg(label) / 0',
      },
      { places: [null, { feature: 'shop', level: 'big' }], bootstrapRounds: 100 },
    );
    const [all, big] = await measured(asked);
    const rowsOf = Array.from(labels, (label, row) => ({ error: Math.abs(label - (values[row] ?? NaN)), row }));
    const weighted = (part: typeof rowsOf) =>
      part.reduce((sum, { error, row }) => sum + (1 + (row % 3)) * error, 0) /
      part.reduce((sum, { row }) => sum + 1 + (row % 3), 0);
    expect(all?.measured.values.weighted).toBeCloseTo(weighted(rowsOf), 9);
    expect(big?.measured.values.weighted).toBeCloseTo(weighted(rowsOf.filter(({ row }) => row % 4 === 0)), 9);
    expect(all?.measured.values).toMatchObject({ never: null, infinite: null });
    expect(all?.measured.intervals).not.toHaveProperty('never');
  });

  it('draw whole groups, the same way twice', async () => {
    const scores = path.join(folder, 'grouped.parquet');
    await writeScoresFile(scores, {
      units: Int32Array.from({ length: rows }, (_, row) => Math.floor(row / 500)),
      candidate: { outputs: { value: values }, predicted: null },
      champion: null,
      levels: {},
    });
    const asked = question({ size: 'count(*)', spread: 'avg(label)' }, { scores, compared: false });
    const [first, second] = [await measured(asked), await measured(asked)];
    expect(first).toEqual(second);
    // Four groups of 500 rows: whatever is drawn, there are 2000.
    expect(first[0]?.measured.intervals.size).toMatchObject({ low: 2000, high: 2000 });
  });

  it.each([
    ['label - value', 'it has no aggregate'],
    ['avg(label) - value', 'value stands outside of an aggregate'],
    ['avg(probability)', 'probability is not a declared column of holdout'],
    ['avg(lable)', 'the nearest is label'],
    ['avg(avg(label))', 'the function avg is not allowed'],
    ['max(shop)', 'it gives VARCHAR; it must give a number'],
    ['sum(label) OVER ()', 'a window is not allowed'],
    ["(SELECT count(*) FROM read_parquet('/etc/passwd'))", 'a subquery is not allowed'],
    ["avg(getenv('HOME'))", 'the function getenv is not allowed'],
    ['string_agg(shop)', 'the function string_agg is not allowed'],
    ['avg(label ORDER BY value)', 'avg with ORDER BY is not allowed'],
    ['avg(label); DROP TABLE given', ''],
  ])('refuse %s', async (sql, problem) => {
    const found = await readOwnMetric(session, price, sql);
    expect(found).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('refuse a name that is a feature and an output at once', async () => {
    const ranking = {
      task: 'ranking' as const,
      contract: { ...price.contract, group: 'id', label: { name: 'y', type: 'number' as const } },
    };
    expect(await readOwnMetric(session, ranking, 'avg(score)')).toEqual({
      problem: expect.stringContaining('score is both a feature and a column of every prediction'),
    });
    expect(await readOwnMetric(session, price, 'corr(score, label)')).toMatchObject({ columns: ['score', 'label'] });
  });

  it('draw at least 200 times, and as often as asked where rows are few', () => {
    expect([ownMetricResamples(1000, 500), ownMetricResamples(300_000, 500), ownMetricResamples(300_000, 100)]).toEqual(
      [500, 200, 100],
    );
  });
});
