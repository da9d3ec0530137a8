import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readShapedRows, type ShapedRow } from '../../../adapters/data-engine/snapshot/read-shaped-rows.js';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import {
  validateAndShapePartition,
  type ValidateAndShapeResult,
} from '../../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { prepareFlightMonth, type FlightMonth } from '../../../infra/main-job/flights-data.js';
import { flightsAsRequests } from '../../../infra/main-job/flights-requests.js';
import definition from '../../../models/flight-delay/model.js';

const datasetsDir = fileURLToPath(new URL('../../../.tools/datasets', import.meta.url));
const months = ['2013-01', '2013-02', '2013-03'] as const;

let folder: string;
const sources = new Map<string, FlightMonth>();
const shaped = new Map<string, ValidateAndShapeResult>();
const rows = new Map<string, ShapedRow[]>();

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-flights-'));
  for (const month of months) {
    const files = await prepareFlightMonth({ month, datasetsDir, outDir: path.join(folder, 'source') });
    sources.set(month, files);
    const result = await shape(month, { flights: [files.flights], weather: [files.weather], planes: [files.planes] });
    shaped.set(month, result);
    rows.set(month, await readShapedRows({ file: result.file?.path ?? '', contract: definition.contract }));
  }
}, 120_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const shape = (partition: string, tableFiles: Record<string, string[]>) =>
  validateAndShapePartition({
    openSession: openDuckSession,
    definition,
    partition,
    tableFiles,
    workDir: path.join(folder, 'work'),
    previous: [...shaped].flatMap(([month, { file, profile }]) =>
      file && profile && month < partition
        ? [{ partition: month, rows: file.rows, positives: file.positives, profile }]
        : [],
    ),
  });

describe('the flights of New York', () => {
  it('are valid, month by month, with the labelled rows of the reference', () => {
    expect(months.map((month) => shaped.get(month)?.report.issues)).toEqual([[], [], []]);
    // Row counts by pandas: flights.dropna(subset=['arr_delay']).groupby('month').size().
    expect(months.map((month) => shaped.get(month)?.file?.rows)).toEqual([26_398, 23_611, 27_902]);
    expect(months.map((month) => shaped.get(month)?.file?.positives)).toEqual([6_001, 5_418, 6_374]);
    expect(shaped.get('2013-03')?.report.notes).toContain('dest has 2 new levels: BGR (2 rows), CHO (22 rows).');
  });

  it('join the weather of their own month as they would join the whole table', async () => {
    const files = sources.get('2013-02');
    const weather = months.map((month) => sources.get(month)?.weather ?? '');
    const result = await shape('2013-02', { flights: [files?.flights ?? ''], weather, planes: [files?.planes ?? ''] });
    expect(result.file?.sha256).toBe(shaped.get('2013-02')?.file?.sha256);
  });

  // Independent reference in Python: population stability index against January over labelled rows.
  it.each([
    ['carrier', 0.0006, 0.0032],
    ['dest', 0.0046, 0.0253],
    ['dep_delay', 0.0036, 0.0101],
    ['humid', 0.0973, 0.149],
    ['wind_speed', 0.0701, 0.1645],
    ['temp', 0.4021, 1.2289],
  ])('drift in %s as the reference says, by the deciles of the profile', (feature, february, march) => {
    const deciles = shaped.get('2013-01')?.profile?.find(({ name }) => name === feature)?.deciles ?? [];
    expect(stabilityIndex(values('2013-01', feature), values('2013-02', feature), deciles)).toBeCloseTo(february, 4);
    expect(stabilityIndex(values('2013-01', feature), values('2013-03', feature), deciles)).toBeCloseTo(march, 4);
  });
});

describe('a prepared month', () => {
  it('is made once, and again with the same bytes', async () => {
    const first = sources.get('2013-01');
    const again = await prepareFlightMonth({ month: '2013-01', datasetsDir, outDir: path.join(folder, 'again') });
    for (const table of ['flights', 'weather', 'planes'] as const) {
      expect((await readFile(again[table])).equals(await readFile(first?.[table] ?? ''))).toBe(true);
    }
    expect((await readdir(path.join(folder, 'again'))).sort()).toEqual([
      'flights-2013-01.parquet',
      'planes.parquet',
      'weather-2013-01.parquet',
    ]);
    const started = performance.now();
    await prepareFlightMonth({ month: '2013-01', datasetsDir, outDir: path.join(folder, 'again') });
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('that the package does not have, or without the package, is an error that says so', async () => {
    const outDir = path.join(folder, 'none');
    await expect(prepareFlightMonth({ month: '2014-01', datasetsDir, outDir })).rejects.toMatchObject({
      code: 'data/missing',
    });
    await expect(prepareFlightMonth({ month: '2013-01', datasetsDir: folder, outDir })).rejects.toMatchObject({
      code: 'environment/broken',
    });
  });

  it('replays as requests of plain JSON with unique, stable ids, in the order of time', async () => {
    const file = shaped.get('2013-02')?.file?.path ?? '';
    const requests = await flightsAsRequests({ file, contract: definition.contract });
    expect(requests).toHaveLength(23_611);
    expect(new Set(requests.map(({ predictionId }) => predictionId)).size).toBe(23_611);
    expect(requests.every(({ predictionId }) => /^[\w.-]+$/.test(predictionId))).toBe(true);
    expect(requests.filter(({ label }) => label)).toHaveLength(5_418);
    const times = requests.map(({ eventTime }) => eventTime);
    expect(times).toEqual([...times].sort());
    expect(JSON.parse(JSON.stringify(requests[0]))).toEqual(requests[0]);
    expect(Object.keys(requests[0]?.features ?? {})).toEqual(Object.keys(definition.contract.features));
    expect(requests[0]).toMatchObject({
      predictionId: '20130201T100000Z.AA.1141',
      features: { carrier: 'AA', origin: 'JFK', dest: 'MIA', sched_dep_min: 340, plane_age: 46 },
    });
    expect(await flightsAsRequests({ file, contract: definition.contract, offset: 100, limit: 3 })).toEqual(
      requests.slice(100, 103),
    );
  });
});

function values(month: string, feature: string): (number | string | null)[] {
  return (rows.get(month) ?? []).map(({ features }) => {
    const value = features[feature];
    return typeof value === 'number' || typeof value === 'string' ? value : null;
  });
}

function stabilityIndex(
  reference: (number | string | null)[],
  current: (number | string | null)[],
  deciles: number[],
): number {
  const edges = [...new Set(deciles)];
  const binOf = (value: number | string | null) =>
    typeof value === 'number' ? edges.filter((edge) => edge < value).length : value;
  const shares = (of: (number | string | null)[]) => {
    const counts = new Map<number | string | null, number>();
    for (const value of of) counts.set(binOf(value), (counts.get(binOf(value)) ?? 0) + 1);
    return new Map([...counts].map(([bin, count]) => [bin, count / of.length]));
  };
  const [expected, actual] = [shares(reference), shares(current)];
  let index = 0;
  for (const bin of new Set([...expected.keys(), ...actual.keys()])) {
    const [e, a] = [Math.max(expected.get(bin) ?? 0, 1e-4), Math.max(actual.get(bin) ?? 0, 1e-4)];
    index += (a - e) * Math.log(a / e);
  }
  return index;
}
